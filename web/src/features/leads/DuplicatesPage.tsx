import { Button, SegmentedControl, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { usePermits } from '@/api/session';
import type { Card } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Empty, Failure, PageBody, PageHead, PermitButton, Time } from '@/ui/basics';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Duplicates.module.css';
import { MergeDialog } from './MergeDialog';
import { duplicatesQuery, type SameBy } from './merging';

const route = getRouteApi('/shell/duplicates');

const BY: { value: SameBy; label: string }[] = [
  { value: 'email', label: 'Same e-mail' },
  { value: 'phone', label: 'Same phone' },
  { value: 'name', label: 'Same name and company' },
];

/** Leads of one project that are probably one person. */
export function DuplicatesPage() {
  const { by = 'email', after } = route.useSearch();
  const navigate = useNavigate({ from: '/duplicates' });
  const why = usePermits().why('leads:manage');
  const found = useQuery(duplicatesQuery(by, after));
  const [pair, setPair] = useState<[Card, Card] | null>(null);
  const next = found.data?.next;
  return (
    <PageBody>
      <PageHead title="Probable duplicates" />
      <SegmentedControl
        size="xs"
        aria-label="What is the same"
        data={BY}
        value={by}
        onChange={(value) => void navigate({ search: value === 'email' ? {} : { by: value as 'phone' | 'name' } })}
      />
      {found.isPending && <Skeleton h={240} mt="md" />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data?.data.length === 0 && (
        <Empty title={next ? 'None so far' : 'No duplicates'}>
          {next
            ? 'None are among the leads that were looked at. There are more to look at.'
            : 'No two leads of one project have the same.'}
        </Empty>
      )}
      {found.data && found.data.data.length > 0 && (
        <ScrollTable label="Duplicates">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Came first</Table.Th>
              <Table.Th>Came last</Table.Th>
              <Table.Th>In all</Table.Th>
              <ActionsHead />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.data.data.map(({ leads: [first, last], count }) =>
              first && last ? (
                <Table.Tr key={first.id}>
                  <Person card={first} label="Came first" />
                  <Person card={last} label="Came last" />
                  <Cell label="In all">{plural(count, 'lead')}</Cell>
                  <Cell actions>
                    <PermitButton variant="default" size="compact-sm" why={why} onClick={() => setPair([first, last])}>
                      Compare and merge
                    </PermitButton>
                  </Cell>
                </Table.Tr>
              ) : null,
            )}
          </Table.Tbody>
        </ScrollTable>
      )}
      {next && (
        <Button mt="md" variant="default" onClick={() => void navigate({ search: (old) => ({ ...old, after: next }) })}>
          Look further
        </Button>
      )}
      {pair && <MergeDialog pair={pair} onClose={() => setPair(null)} />}
    </PageBody>
  );
}

function Person({ card, label }: { card: Card; label: string }) {
  const details = [card.email, card.phoneDisplay, card.company].filter(Boolean).join(' · ');
  return (
    <Cell label={label} className={classes.person}>
      <Link to="/leads/$leadId" params={{ leadId: card.id }}>
        {card.name}
      </Link>
      <div className={classes.dim}>{details}</div>
      <div className={classes.dim}>
        <Time at={card.createdAt} />
      </div>
    </Cell>
  );
}
