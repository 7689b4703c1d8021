import { Button, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { SessionEntry } from '@/api/shapes';
import { browserName } from '@/lib/text';
import { Failure, Section, State, Time } from '@/ui/basics';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast } from '@/ui/toast';
import { sessionsQuery, settingsApi, useSettingsWrite } from './queries';

export function Sessions() {
  const sessions = useQuery(sessionsQuery);
  const revokeOthers = useSettingsWrite('sessions', () => settingsApi.revokeOthers(), 'The sessions were not ended');
  const others = (sessions.data?.length ?? 0) > 1;
  return (
    <Section
      title="Where you are signed in"
      flush
      actions={
        others && (
          <Button
            variant="default"
            loading={revokeOthers.isPending}
            onClick={() => revokeOthers.mutate(undefined, { onSuccess: () => toast('Your other sessions have ended') })}
          >
            End all others
          </Button>
        )
      }
    >
      {sessions.isPending && <Skeleton h={120} />}
      {sessions.isError && <Failure error={sessions.error} retry={() => void sessions.refetch()} />}
      {sessions.data && (
        <ScrollTable label="Table of sessions">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Browser</Table.Th>
              <Table.Th>From</Table.Th>
              <Table.Th>Signed in</Table.Th>
              <Table.Th>Last used</Table.Th>
              <Table.Th>Ends</Table.Th>
              <ActionsHead />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sessions.data.map((session) => (
              <SessionRow key={session.id} session={session} />
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
    </Section>
  );
}

function SessionRow({ session }: { session: SessionEntry }) {
  const revoke = useSettingsWrite('sessions', settingsApi.revokeSession, 'The session was not ended');
  return (
    <Table.Tr>
      <Cell title={session.browser}>{browserName(session.browser)}</Cell>
      <Cell label="From" beside={!session.ip}>
        {session.ip}
      </Cell>
      <Cell label="Signed in">
        <Time at={session.createdAt} />
      </Cell>
      <Cell label="Last used">{session.lastUsedAt ? <Time at={session.lastUsedAt} /> : '–'}</Cell>
      <Cell label="Ends">{session.expiresAt ? <Time at={session.expiresAt} /> : '–'}</Cell>
      <Cell actions>
        {session.isCurrent ? (
          <State color="green">This one</State>
        ) : (
          <Button
            variant="default"
            size="compact-xs"
            loading={revoke.isPending}
            onClick={() => revoke.mutate(session.id)}
          >
            End it
          </Button>
        )}
      </Cell>
    </Table.Tr>
  );
}
