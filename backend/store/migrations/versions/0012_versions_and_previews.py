"""In which state of both sides a conflict was seen; for which preview something was written"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('conflict', schema=None) as batch_op:
        batch_op.add_column(sa.Column('versions', sa.JSON(), nullable=True))
    with op.batch_alter_table('intent', schema=None) as batch_op:
        batch_op.add_column(sa.Column('plan', sa.Text(), nullable=True))


def downgrade():
    with op.batch_alter_table('intent', schema=None) as batch_op:
        batch_op.drop_column('plan')
    with op.batch_alter_table('conflict', schema=None) as batch_op:
        batch_op.drop_column('versions')
