"""Answers that take a while are kept for whoever asks for them again; links whose timer has no time yet are found"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('asked',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('at', sa.Double(), nullable=False),
    sa.Column('sealed', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_asked'))
    )
    unset = sa.text('due_at IS NULL AND interval_seconds IS NOT NULL')
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.create_index('ix_link_unset', ['id'], unique=False, sqlite_where=unset, postgresql_where=unset)


def downgrade():
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.drop_index('ix_link_unset')
    op.drop_table('asked')
