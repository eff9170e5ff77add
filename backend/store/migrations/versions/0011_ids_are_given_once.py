"""No id is given twice: SQLite gives away the highest one anew once its row is gone"""

from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

TABLES = (
    'link', 'secret', 'api_key', 'mapping', 'pair', 'run', 'intent', 'conflict', 'apart', 'deletion', 'refusal', 'sighting',
    'loose', 'question', 'pairing', 'hint', 'delivery', 'notice', 'privacy', 'worker', 'tally', 'change', 'action',
)


def upgrade():
    _made_anew(sqlite_autoincrement=True)


def downgrade():
    _made_anew()


def _made_anew(**keywords):
    if op.get_bind().dialect.name != 'sqlite':
        return  # a sequence never goes back
    for table in TABLES:
        with op.batch_alter_table(table, schema=None, recreate='always', table_kwargs=keywords):
            pass
