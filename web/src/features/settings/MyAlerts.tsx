import { Checkbox, Group, Skeleton, Stack, Switch, Table, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { availabilityQuery } from '@/api/lookups';
import { useSession } from '@/api/session';
import type { AlertWish, Availability } from '@/api/shapes';
import { localTime, momentOf } from '@/lib/taskGroups';
import { absoluteTime } from '@/lib/time';
import { Failure, PermitButton, Section } from '@/ui/basics';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast } from '@/ui/toast';
import { areGood, HoursFields, USUAL_HOURS } from './HoursFields';
import { useTicks } from './ticks';
import { alertWishesQuery, saveWish, useSaveAvailability } from './workQueries';

const KINDS: Record<string, string> = {
  'lead.assigned': 'A lead is given to me',
  'lead.returned': 'A lead of mine comes back',
  'response.overdue': 'A lead of mine waits too long for its first answer',
  'response.escalated': 'A lead still waits, and I am among those who are told',
  'task.reminder': 'The time of a reminder',
  'task.overdue': 'A task of mine is overdue',
  'task.assigned': 'Somebody gives me a task',
};

/** What one is told of, and when one works. */
export function MyAlerts() {
  return (
    <Stack gap="md">
      <Wishes />
      <Times />
    </Stack>
  );
}

function Wishes() {
  const wishes = useQuery(alertWishesQuery);
  const save = useTicks({
    queryKey: alertWishesQuery.queryKey,
    idOf: (wish: AlertWish) => wish.kind,
    write: saveWish,
    failure: 'The choice was not saved',
  });
  if (wishes.isPending) return <Skeleton h={280} />;
  if (wishes.isError) return <Failure error={wishes.error} retry={() => void wishes.refetch()} />;
  return (
    <Section title="Tell me when" flush>
      <ScrollTable label="What I am told of">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>What</Table.Th>
            <Table.Th>Under the bell</Table.Th>
            <Table.Th>By e-mail</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {wishes.data.map((wish) => {
            const words = KINDS[wish.kind] ?? wish.kind;
            return (
              <Table.Tr key={wish.kind}>
                <Cell>{words}</Cell>
                <Cell label="Under the bell">
                  <Checkbox
                    aria-label={`${words}: under the bell`}
                    checked={wish.app}
                    onChange={(event) => save({ ...wish, app: event.currentTarget.checked })}
                  />
                </Cell>
                <Cell label="By e-mail">
                  <Checkbox
                    aria-label={`${words}: by e-mail`}
                    checked={wish.mail}
                    onChange={(event) => save({ ...wish, mail: event.currentTarget.checked })}
                  />
                </Cell>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </ScrollTable>
    </Section>
  );
}

function Times() {
  const me = useSession().user.id;
  const team = useQuery(availabilityQuery);
  if (team.isPending) return <Skeleton h={160} />;
  if (team.isError) return <Failure error={team.error} retry={() => void team.refetch()} />;
  const own = team.data.find(({ userId }) => userId === me);
  return own ? <OwnTimes key={`${own.awayUntil}`} own={own} /> : null;
}

function OwnTimes({ own }: { own: Availability }) {
  const save = useSaveAvailability();
  const [away, setAway] = useState(localTime(own.awayUntil));
  const [hours, setHours] = useState(own.hours ?? null);
  const awayUntil = momentOf(away);
  const done = () => toast('Saved your times');
  return (
    <Section title="When I work">
      <Stack gap="sm">
        <Group align="flex-end" gap="sm">
          <TextInput
            type="datetime-local"
            label="Away until"
            description="Rules that look for who is at work pass over you"
            value={away}
            onChange={(event) => setAway(event.currentTarget.value)}
          />
          <PermitButton
            variant="default"
            why={awayUntil ? undefined : 'Choose a time first'}
            loading={save.isPending}
            onClick={() => save.mutate({ awayUntil }, { onSuccess: done })}
          >
            I am away
          </PermitButton>
          {own.awayUntil && (
            <PermitButton
              why={undefined}
              loading={save.isPending}
              onClick={() => save.mutate({ awayUntil: null }, { onSuccess: done })}
            >
              I am back
            </PermitButton>
          )}
        </Group>
        {own.awayUntil && <Text size="sm">You are away until {absoluteTime(own.awayUntil)}.</Text>}
        <Switch
          label="My hours differ from the workspace's"
          checked={hours !== null}
          onChange={(event) => setHours(event.currentTarget.checked ? USUAL_HOURS : null)}
        />
        {hours && <HoursFields hours={hours} onChange={setHours} />}
        <PermitButton
          variant="default"
          why={hours === null || areGood(hours) ? undefined : 'Mend the hours first'}
          style={{ alignSelf: 'flex-start' }}
          loading={save.isPending}
          onClick={() => save.mutate({ hours }, { onSuccess: done })}
        >
          Save my hours
        </PermitButton>
      </Stack>
    </Section>
  );
}
