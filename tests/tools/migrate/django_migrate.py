# django_migrate.py DATABASE PROJECT APP..: runs the migrations of a project's applications, by the real Django; libpq's
# environment says where.
import os
import sys

import django
from django.conf import settings
from django.core.management import call_command

database, project, *apps = sys.argv[1:]
sys.path.insert(0, project)
settings.configure(
    DATABASES={'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': database,
                           'HOST': os.environ['PGHOST'], 'USER': os.environ['PGUSER']}},
    INSTALLED_APPS=['django.contrib.contenttypes', 'django.contrib.auth', *apps],
    DEFAULT_AUTO_FIELD='django.db.models.AutoField',
)
django.setup()
call_command('migrate', verbosity=0)
