"""Which row is which thing: questions that wait for a person, and what they said"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('question',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('mapping_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('rows', sa.JSON(), nullable=False),
    sa.Column('things', sa.JSON(), nullable=False),
    sa.Column('witness', sa.Text(), nullable=False),
    sa.Column('values', sa.JSON(), nullable=False),
    sa.Column('about', sa.JSON(), nullable=False),
    sa.Column('seen_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['mapping_id'], ['mapping.id'], name=op.f('fk_question_mapping_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_question')),
    sa.UniqueConstraint('mapping_id', 'key', name=op.f('uq_question_mapping_id_key'))
    )
    op.create_table('pairing',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('mapping_id', sa.Integer(), nullable=False),
    sa.Column('local_key', sa.Integer(), nullable=False),
    sa.Column('thing', sa.Text(), nullable=True),
    sa.Column('looks', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['mapping_id'], ['mapping.id'], name=op.f('fk_pairing_mapping_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pairing')),
    sa.UniqueConstraint('mapping_id', 'local_key', name=op.f('uq_pairing_mapping_id_local_key'))
    )


def downgrade():
    op.drop_table('pairing')
    op.drop_table('question')
