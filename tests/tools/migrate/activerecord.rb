# activerecord.rb DATABASE DIRECTORY: runs the migrations of a directory, by the real Rails; libpq's environment says where.
require 'active_record'
database, directory = ARGV
ActiveRecord::Base.establish_connection(adapter: 'postgresql', database: database)
ActiveRecord::MigrationContext.new(directory, ActiveRecord::SchemaMigration).migrate
