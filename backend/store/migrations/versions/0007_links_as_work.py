"""Links as work: keys for their webhooks, timers, deliveries, notices, privacy, workers and tallies"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.add_column(sa.Column('key', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('due_at', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('failures', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('hinted_at', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('hint_at', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('stopped', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('hooks', sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
    connection = op.get_bind()
    for (link_id,) in connection.execute(sa.text('select id from link')).all():
        connection.execute(sa.text('update link set key = :key where id = :link'),
                           {'key': secrets.token_urlsafe(24), 'link': link_id})
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.alter_column('key', existing_type=sa.Text(), nullable=False)
        batch_op.create_unique_constraint(op.f('uq_link_key'), ['key'])
        batch_op.create_index('ix_link_due', ['due_at'], unique=False)
        batch_op.create_index('ix_link_hinted', ['hinted_at'], unique=False)
    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.drop_index('uq_run_queued')
        batch_op.create_index('uq_run_queued', ['link_id', 'kind'], unique=True,
                              sqlite_where=sa.text("state = 'queued'"), postgresql_where=sa.text("state = 'queued'"))
    op.create_table('delivery',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('link_id', sa.Integer(), nullable=False),
    sa.Column('side', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=True),
    sa.Column('at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['link_id'], ['link.id'], name=op.f('fk_delivery_link_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery')),
    sa.UniqueConstraint('link_id', 'side', 'key', name=op.f('uq_delivery_link_id_side_key'))
    )
    op.create_index('ix_delivery_at', 'delivery', ['at'], unique=False)
    op.create_table('notice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('link_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), server_default='0', nullable=False),
    sa.Column('since', sa.Double(), nullable=False),
    sa.Column('told_at', sa.Double(), nullable=True),
    sa.Column('told_text', sa.Text(), nullable=True),
    sa.Column('told_number', sa.Integer(), server_default='0', nullable=False),
    sa.Column('tries', sa.Integer(), server_default='0', nullable=False),
    sa.Column('next_at', sa.Double(), nullable=True),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['link_id'], ['link.id'], name=op.f('fk_notice_link_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')),
    sa.UniqueConstraint('link_id', 'kind', name=op.f('uq_notice_link_id_kind'))
    )
    op.create_index('ix_notice_next', 'notice', ['next_at'], unique=False)
    op.create_table('privacy',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('link_id', sa.Integer(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('customer', sa.Text(), nullable=False),
    sa.Column('things', sa.JSON(), nullable=False),
    sa.Column('at', sa.Double(), nullable=False),
    sa.Column('done_at', sa.Double(), nullable=True),
    sa.Column('found', sa.JSON(), nullable=True),
    sa.ForeignKeyConstraint(['link_id'], ['link.id'], name=op.f('fk_privacy_link_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_privacy'))
    )
    op.create_index('ix_privacy_link', 'privacy', ['link_id'], unique=False)
    op.create_index('ix_privacy_open', 'privacy', ['id'], unique=False, sqlite_where=sa.text('done_at IS NULL'),
                    postgresql_where=sa.text('done_at IS NULL'))
    op.create_table('worker',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('began_at', sa.Double(), nullable=False),
    sa.Column('seen_at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_worker')),
    sa.UniqueConstraint('owner', name=op.f('uq_worker_owner'))
    )
    op.create_table('tally',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('value', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tally')),
    sa.UniqueConstraint('name', 'label', name=op.f('uq_tally_name_label'))
    )


def downgrade():
    for table in ('tally', 'worker', 'privacy', 'notice', 'delivery'):
        op.drop_table(table)
    # Where a sync and a preview wait, the older tables have room for the sync alone.
    op.execute("delete from run where state = 'queued' and kind <> 'sync'")
    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.drop_index('uq_run_queued')
        batch_op.create_index('uq_run_queued', ['link_id'], unique=True, sqlite_where=sa.text("state = 'queued'"),
                              postgresql_where=sa.text("state = 'queued'"))
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.drop_index('ix_link_hinted')
        batch_op.drop_index('ix_link_due')
        batch_op.drop_constraint('uq_link_key', type_='unique')
        for name in ('hooks', 'stopped', 'hint_at', 'hinted_at', 'failures', 'due_at', 'key'):
            batch_op.drop_column(name)
