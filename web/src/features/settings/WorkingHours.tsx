import { Alert, MultiSelect, NumberInput, Skeleton, Stack, Switch, Table, TagsInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { availabilityQuery, membersQuery } from '@/api/lookups';
import { messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Availability, WorkSettings } from '@/api/shapes';
import { absoluteTime } from '@/lib/time';
import { Failure, PermitButton, Section } from '@/ui/basics';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast } from '@/ui/toast';
import { areGood, HoursFields, USUAL_HOURS } from './HoursFields';
import { useSaveWorkSettings, workSettingsQuery } from './workQueries';

/** When the workspace works, how soon it wants to answer, and who is away. */
export function WorkingHours() {
  const settings = useQuery(workSettingsQuery);
  if (settings.isPending) return <Skeleton h={320} />;
  if (settings.isError) return <Failure error={settings.error} retry={() => void settings.refetch()} />;
  return (
    <Stack gap="md">
      <Times key={settings.data.version} settings={settings.data} />
      <Team />
    </Stack>
  );
}

function Times({ settings }: { settings: WorkSettings }) {
  const why = usePermits().why('settings:manage');
  const members = useQuery(membersQuery).data ?? [];
  const save = useSaveWorkSettings();
  const [draft, setDraft] = useState(settings);
  const set = (change: Partial<WorkSettings>) => setDraft({ ...draft, ...change });
  const minutes = (value: string | number) => (typeof value === 'number' ? value : null);
  const disabled = why !== undefined;
  const isGood = !draft.hours || areGood(draft.hours);
  const submit = () =>
    save.mutate({ ...draft, version: settings.version }, { onSuccess: () => toast('Saved the working hours') });
  return (
    <>
      <Section title="Working hours">
        <Stack gap="sm">
          <Switch
            label="Work in certain hours"
            description="By the workspace's timezone. The clock of the first answer stands still outside them."
            checked={Boolean(draft.hours)}
            disabled={disabled}
            onChange={(event) => set({ hours: event.currentTarget.checked ? USUAL_HOURS : null })}
          />
          {draft.hours && <HoursFields hours={draft.hours} disabled={disabled} onChange={(hours) => set({ hours })} />}
          <TagsInput
            label="Days off"
            description="Holidays, such as 2026-12-25; Enter adds one"
            disabled={disabled}
            value={draft.holidays}
            onChange={(holidays) => set({ holidays })}
          />
        </Stack>
      </Section>
      <Section title="First answer">
        <Stack gap="sm">
          <NumberInput
            label="Answer new leads within (minutes)"
            description="Of working time. A note, a move or a message by a person is an answer. Empty for no clock."
            min={1}
            max={44640}
            allowDecimal={false}
            disabled={disabled}
            maw={320}
            value={draft.respondWithinMinutes ?? ''}
            onChange={(value) => set({ respondWithinMinutes: minutes(value) })}
          />
          <NumberInput
            label="Tell others after another (minutes)"
            description="The owner is told at once when the time is over."
            min={1}
            max={44640}
            allowDecimal={false}
            disabled={disabled}
            maw={320}
            value={draft.escalateAfterMinutes ?? ''}
            onChange={(value) => set({ escalateAfterMinutes: minutes(value) })}
          />
          <MultiSelect
            label="Who is told then"
            description="They are told at once of leads that are nobody's."
            searchable
            disabled={disabled}
            maw={480}
            data={members.map(({ id, name }) => ({ value: id, label: name }))}
            value={draft.escalateTo}
            onChange={(escalateTo) => set({ escalateTo })}
          />
          <Switch
            label="Give the lead to somebody else then"
            description="By the assignment rules"
            checked={draft.reassigns}
            disabled={disabled}
            onChange={(event) => set({ reassigns: event.currentTarget.checked })}
          />
          <Switch
            label="Assigning a lead by hand is an answer"
            checked={draft.countsAssignment}
            disabled={disabled}
            onChange={(event) => set({ countsAssignment: event.currentTarget.checked })}
          />
          {save.isError && <Alert color="red">{messageOf(save.error)}</Alert>}
          <PermitButton
            why={why ?? (isGood ? undefined : 'Mend the hours first')}
            loading={save.isPending}
            style={{ alignSelf: 'flex-start' }}
            onClick={submit}
          >
            Save
          </PermitButton>
        </Stack>
      </Section>
    </>
  );
}

const DAYS = ['', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function hoursWords({ hours }: Availability): string {
  if (!hours) return 'As the workspace';
  return `${hours.days.map((day) => DAYS[day]).join(', ')}, ${hours.from} to ${hours.until}`;
}

function Team() {
  const team = useQuery(availabilityQuery);
  if (team.isPending) return <Skeleton h={160} />;
  if (team.isError) return <Failure error={team.error} retry={() => void team.refetch()} />;
  return (
    <Section title="Who is at work" flush>
      <ScrollTable label="When each member works">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Hours</Table.Th>
            <Table.Th>Away until</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {team.data.map((member) => (
            <Table.Tr key={member.userId}>
              <Cell>{member.name}</Cell>
              <Cell label="Hours">{hoursWords(member)}</Cell>
              <Cell label="Away until">{member.awayUntil ? absoluteTime(member.awayUntil) : 'Not away'}</Cell>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
    </Section>
  );
}
