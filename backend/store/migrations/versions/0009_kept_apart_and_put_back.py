"""Cells that a person has taken out of the sync; deletions that are answered by making the thing again"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('apart',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('mapping_id', sa.Integer(), nullable=False),
    sa.Column('remote_key', sa.Text(), nullable=False),
    sa.Column('field', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('local', sa.JSON(), nullable=True),
    sa.Column('remote', sa.JSON(), nullable=True),
    sa.Column('gone', sa.Text(), nullable=True),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['mapping_id'], ['mapping.id'], name=op.f('fk_apart_mapping_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_apart')),
    sa.UniqueConstraint('mapping_id', 'remote_key', 'field', name=op.f('uq_apart_mapping_id_remote_key_field'))
    )
    with op.batch_alter_table('deletion', schema=None) as batch_op:
        batch_op.add_column(sa.Column('put_back_by', sa.Text(), nullable=True))


def downgrade():
    with op.batch_alter_table('deletion', schema=None) as batch_op:
        batch_op.drop_column('put_back_by')
    op.drop_table('apart')
