"""Answers that take a while: kept for whoever asks for them again"""

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


def downgrade():
    op.drop_table('asked')
