"""Alembic's entry point: runs revisions on the connection that runtime.migrations opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    version_table_schema=context.config.attributes["version_table_schema"],
)
with context.begin_transaction():
    context.run_migrations()
