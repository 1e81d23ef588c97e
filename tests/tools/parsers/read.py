"""read.py FILE...: the same lines as app-settings yaml-1.1, by PyYAML. Numbers with a point stay as they are written."""
import json
import sys

import yaml


class Loader(yaml.SafeLoader):
    pass


class Date:
    pass


Loader.add_constructor('tag:yaml.org,2002:float', lambda loader, node: node.value)
Loader.add_constructor('tag:yaml.org,2002:timestamp', lambda loader, node: Date)


def text(value):
    if value is None:
        return 'null'
    return str(value).lower() if isinstance(value, bool) else str(value)


def put(settings, path, value):
    if value is None or value is Date:
        return
    if isinstance(value, dict) and (value or not path):
        for key, item in value.items():
            put(settings, f'{path}.{text(key)}' if path else text(key), item)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            put(settings, f'{path}[{i}]', item)
    else:
        settings.setdefault(path, text(value))


for file in sys.argv[1:]:
    settings = {}
    try:
        with open(file, 'rb') as stream:
            value = yaml.load(stream, Loader)
        put(settings, '', value)
        line = {'settings': settings} if value is None or isinstance(value, dict) else {'error': 'no mapping'}
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        line = {'error': type(error).__name__}
    print(json.dumps(line))
