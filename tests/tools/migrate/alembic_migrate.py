# alembic_migrate.py DATABASE DIRECTORY REVISION: upgrades to a revision ("heads": all), by the real Alembic; libpq's
# environment says where. DIRECTORY has versions/, and gets the env.py that Alembic runs.
import os
import sys

from alembic import command
from alembic.config import Config

database, directory, revision = sys.argv[1:]
with open(os.path.join(directory, 'env.py'), 'w') as env:
    env.write('''from alembic import context
from sqlalchemy import create_engine
with create_engine(context.config.get_main_option('sqlalchemy.url')).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
''')
config = Config()
config.set_main_option('script_location', directory)
config.set_main_option('sqlalchemy.url', 'postgresql+psycopg2:///' + database)
command.upgrade(config, revision)
