// read.cjs yaml|hjson FILE...: the same lines as app-settings, by the libraries that applications use.
'use strict';
const fs = require('fs');
const modules = process.env.KURA_PARSER_MODULES + '/node_modules/';
const parsers = {
  yaml: (text) => require(modules + 'js-yaml').load(text),
  hjson: (text) => require(modules + 'hjson').parse(text),
};

const [format, ...files] = process.argv.slice(2);

function put(settings, path, value) {
  if (value === null || value === undefined || value instanceof Date) return;
  if (Array.isArray(value)) value.forEach((item, i) => put(settings, `${path}[${i}]`, item));
  else if (typeof value === 'object' && (format !== 'yaml' || path === '' || Object.keys(value).length > 0))
    for (const key of Object.keys(value)) put(settings, path === '' ? key : `${path}.${key}`, value[key]);
  else if (!(path in settings)) settings[path] = typeof value === 'object' ? '{}' : String(value);
}

for (const file of files) {
  let line;
  try {
    const settings = Object.create(null);
    const value = parsers[format](fs.readFileSync(file, 'utf8'));
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      put(settings, '', value);
      line = { settings: Object.fromEntries(Object.entries(settings).sort()) };
    } else if (value === null || value === undefined) line = { settings: {} };
    else line = { error: 'no mapping' };
  } catch (e) {
    line = { error: String(e.message).split('\n')[0] };
  }
  console.log(JSON.stringify(line));
}
