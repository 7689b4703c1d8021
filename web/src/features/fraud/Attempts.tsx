import { Button, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { BlockedAttempt } from '@/api/shapes';
import { Empty, Failure, Time } from '@/ui/basics';
import { CodeBlock } from '@/ui/Copy';
import { Pager } from '@/ui/Pager';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Fraud.module.css';
import { attemptsQuery, FRAUD_PAGE } from './queries';

/** What came from blocked addresses. */
export function Attempts({ page, onPage }: { page: number; onPage: (page: number) => void }) {
  const attempts = useQuery(attemptsQuery(page));
  return (
    <>
      {attempts.isPending && <Skeleton h={160} />}
      {attempts.isError && <Failure error={attempts.error} retry={() => void attempts.refetch()} />}
      {attempts.data?.total === 0 && (
        <Empty title="Nothing came from blocked addresses">
          What a blocked address sends is recorded here for 90 days.
        </Empty>
      )}
      {attempts.data && attempts.data.total > 0 && (
        <>
          <ScrollTable label="Blocked attempts" isOld={attempts.isPlaceholderData}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Address</Table.Th>
                <Table.Th>Blocked as</Table.Th>
                <Table.Th>Source</Table.Th>
                <Table.Th>Came</Table.Th>
                <Table.Th>What was sent</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {attempts.data.data.map((attempt) => (
                <Row key={attempt.id} attempt={attempt} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager
            page={page}
            limit={FRAUD_PAGE}
            total={attempts.data.total}
            totalIsCapped={attempts.data.totalIsCapped}
            onPage={onPage}
          />
        </>
      )}
    </>
  );
}

function Row({ attempt }: { attempt: BlockedAttempt }) {
  const [open, setOpen] = useState(false);
  return (
    <Table.Tr>
      <Cell>{attempt.ip ?? 'Hidden for your role'}</Cell>
      <Cell label="Blocked as">{attempt.range}</Cell>
      <Cell label="Source">{attempt.sourceName}</Cell>
      <Cell label="Came">
        <Time at={attempt.attemptedAt} />
      </Cell>
      <Cell className={classes.wide}>
        {attempt.rawBody && (
          <Button variant="subtle" size="compact-xs" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Hide' : 'Show'}
          </Button>
        )}
        {open && attempt.rawBody && <CodeBlock wrap label="What was sent" text={attempt.rawBody} />}
      </Cell>
    </Table.Tr>
  );
}
