"""What both halves of a pair looked like when they were as agreed, so that a full read recognises them"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('digest',
    sa.Column('pair_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('local', sa.LargeBinary(), nullable=False),
    sa.Column('remote', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['pair_id'], ['pair.id'], name=op.f('fk_digest_pair_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('pair_id', name=op.f('pk_digest'))
    )


def downgrade():
    op.drop_table('digest')
