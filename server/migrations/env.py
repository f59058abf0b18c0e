"""Alembic's entry: migrations run on the connection that `server.database` hands over."""

from alembic import context

from server.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
