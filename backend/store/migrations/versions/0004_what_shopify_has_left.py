"""What Shopify's rate limit has left for a store, shared by all workers, and what each document cost last time"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('bucket',
    sa.Column('store', sa.Text(), nullable=False),
    sa.Column('books', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('store', name=op.f('pk_bucket'))
    )
    op.create_table('document_cost',
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('points', sa.Double(), nullable=False),
    sa.Column('at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('document', name=op.f('pk_document_cost'))
    )


def downgrade():
    op.drop_table('document_cost')
    op.drop_table('bucket')
