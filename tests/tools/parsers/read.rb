# read.rb FILE...: the same lines as app-settings, by Ruby's dotenv. Nothing of the environment is seen.
require 'json'
require 'dotenv/parser'

ENV.clear
ARGV.each do |file|
  line = begin
    { settings: Dotenv::Parser.call(File.open(file, 'rb:bom|utf-8', &:read)).sort.to_h }
  rescue Dotenv::FormatError, ArgumentError => e
    { error: e.class.name }
  end
  puts JSON.generate(line)
end
