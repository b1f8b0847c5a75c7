"""Alembic's entry: runs the migrations on the engine that `migrate.upgrade` hands over, in one transaction."""

from alembic import context

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
