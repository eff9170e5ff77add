"""Looking only at what changed: checkpoints, hints, what has no partner, and whose child a pair is"""

import json

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

PARENTS = {'variants': 'product', 'inventory': 'variant', 'orders': 'customer', 'order_lines': 'order',
           'draft_orders': 'customer', 'draft_order_lines': 'draft_order'}


def upgrade():
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.add_column(sa.Column('checkpoints', sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
    with op.batch_alter_table('pair', schema=None) as batch_op:
        batch_op.add_column(sa.Column('parent', sa.Text(), nullable=True))
        batch_op.create_index('ix_pair_parent', ['mapping_id', 'parent'], unique=False)
        batch_op.create_index('ix_pair_unmarked', ['mapping_id'], unique=False,
                              sqlite_where=sa.text('marked IS 0'), postgresql_where=sa.text('marked IS false'))
    op.create_table('loose',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('mapping_id', sa.Integer(), nullable=False),
    sa.Column('side', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['mapping_id'], ['mapping.id'], name=op.f('fk_loose_mapping_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_loose')),
    sa.UniqueConstraint('mapping_id', 'side', 'key', name=op.f('uq_loose_mapping_id_side_key'))
    )
    op.create_table('hint',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('link_id', sa.Integer(), nullable=False),
    sa.Column('side', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['link_id'], ['link.id'], name=op.f('fk_hint_link_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hint'))
    )
    with op.batch_alter_table('hint', schema=None) as batch_op:
        batch_op.create_index('ix_hint_link', ['link_id', 'id'], unique=False)
    _fill_parents(op.get_bind())


def _fill_parents(connection):
    """Whose child each pair is, from what Shopify held of it when both last agreed."""
    pairs = sa.text('select pair.id, pair.base_remote from pair join mapping on mapping.id = pair.mapping_id '
                    'where mapping.resource = :resource')
    for resource, field in PARENTS.items():
        found = []
        for pair_id, base in connection.execute(pairs, {'resource': resource}):
            held = json.loads(base) if isinstance(base, str) else base
            if isinstance(held.get(field), str):
                found.append({'pair': pair_id, 'parent': held[field]})
        if found:
            connection.execute(sa.text('update pair set parent = :parent where id = :pair'), found)


def downgrade():
    with op.batch_alter_table('hint', schema=None) as batch_op:
        batch_op.drop_index('ix_hint_link')
    op.drop_table('hint')
    op.drop_table('loose')
    with op.batch_alter_table('pair', schema=None) as batch_op:
        batch_op.drop_index('ix_pair_unmarked')
        batch_op.drop_index('ix_pair_parent')
        batch_op.drop_column('parent')
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.drop_column('checkpoints')
