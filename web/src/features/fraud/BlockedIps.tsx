import { Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { usePermits } from '@/api/session';
import type { BlockedIp } from '@/api/shapes';
import { dayOf } from '@/lib/time';
import { Empty, Failure, PermitButton, State, Time } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { Pager } from '@/ui/Pager';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { blockedQuery, FRAUD_PAGE, useUnblock } from './queries';

/** Who is turned away. */
export function BlockedIps({ page, onPage }: { page: number; onPage: (page: number) => void }) {
  const why = usePermits().why('leads:manage');
  const blocked = useQuery({ ...blockedQuery(page), enabled: !why });
  if (why) return <Empty title="Blocked IPs are not shown to you">{why}</Empty>;
  return (
    <>
      {blocked.isPending && <Skeleton h={160} />}
      {blocked.isError && <Failure error={blocked.error} retry={() => void blocked.refetch()} />}
      {blocked.data?.total === 0 && (
        <Empty title="Nobody is blocked">
          Block an address that sends rubbish. It is answered like everybody else, and becomes no lead.
        </Empty>
      )}
      {blocked.data && blocked.data.total > 0 && (
        <>
          <ScrollTable label="Blocked IPs" isOld={blocked.isPlaceholderData}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Address or network</Table.Th>
                <Table.Th>Reason</Table.Th>
                <Table.Th>Blocked by</Table.Th>
                <Table.Th>Since</Table.Th>
                <Table.Th>Ends</Table.Th>
                <ActionsHead />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {blocked.data.data.map((row) => (
                <Row key={row.id} row={row} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager page={page} limit={FRAUD_PAGE} total={blocked.data.total} onPage={onPage} />
        </>
      )}
    </>
  );
}

function Row({ row }: { row: BlockedIp }) {
  const unblock = useUnblock();
  const [asking, setAsking] = useState(false);
  return (
    <Table.Tr>
      <Cell>{row.range}</Cell>
      <Cell label="Reason">{row.reason}</Cell>
      <Cell label="Blocked by">{row.createdBy}</Cell>
      <Cell label="Since">
        <Time at={row.createdAt} />
      </Cell>
      <Cell label="Ends">
        {row.isExpired ? <State color="gray">Ended</State> : row.expiresAt ? dayOf(row.expiresAt) : 'Never'}
      </Cell>
      <Cell actions>
        <PermitButton why={undefined} variant="default" size="compact-xs" onClick={() => setAsking(true)}>
          Unblock
        </PermitButton>
        <Confirm
          opened={asking}
          title={`Unblock ${row.range}`}
          verb="Unblock"
          onClose={() => setAsking(false)}
          onConfirm={() => unblock.mutateAsync(row.id)}
        >
          What is sent from there becomes leads again.
        </Confirm>
      </Cell>
    </Table.Tr>
  );
}
