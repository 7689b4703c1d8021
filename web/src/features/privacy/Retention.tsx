import { Alert, Group, NumberInput, Skeleton, Stack, Table, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { useState } from 'react';
import { fieldErrors, messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Retention as Kept } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Failure, PermitButton, Section } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast } from '@/ui/toast';
import classes from './Privacy.module.css';
import { previewQuery, retentionQuery, useKeep } from './queries';
import { goingWords, keptWords } from './words';

/** How long what is kept, and what would go were it otherwise. */
export function Retention() {
  const kept = useQuery(retentionQuery);
  if (kept.isPending) return <Skeleton h={360} />;
  if (kept.isError) return <Failure error={kept.error} retry={() => void kept.refetch()} />;
  return <RetentionForm kept={kept.data} />;
}

type Days = Record<string, number | ''>;

function RetentionForm({ kept }: { kept: Kept }) {
  const permits = usePermits();
  const why = permits.why('settings:manage');
  const [days, setDays] = useState<Days>({});
  const [asking, setAsking] = useState(false);
  const keep = useKeep();
  const wrong = keep.isError ? fieldErrors(keep.error) : {};
  const changed = kept.classes.filter((each) => days[each.class] !== undefined && days[each.class] !== each.days);
  const isWrong = (each: Kept['classes'][number]) => {
    const chosen = days[each.class];
    return chosen === '' || (chosen !== undefined && (chosen < each.minDays || chosen > each.maxDays));
  };
  const isUsable = !kept.classes.some(isWrong);
  const wish = Object.fromEntries(changed.map((each) => [each.class, Number(days[each.class])]));
  const [settled] = useDebouncedValue(wish, 300);
  const preview = useQuery({ ...previewQuery(settled), enabled: why === undefined && isUsable });
  const going = new Map(preview.data?.classes.map((each) => [each.class, each]));
  const isOld = preview.isPlaceholderData || JSON.stringify(wish) !== JSON.stringify(settled);
  useBlocker({
    shouldBlockFn: () => changed.length > 0 && !window.confirm('Leave without saving the changes?'),
    enableBeforeUnload: () => changed.length > 0,
  });
  const goes = changed.map((each) => going.get(each.class)).filter((each) => each !== undefined && each.count > 0);
  const told = goes.map((each) => (each ? `${goingWords(each)} of “${keptWords(each.class).name}”` : '')).join(', ');
  const save = () =>
    keep.mutateAsync(wish).then(() => {
      setDays({});
      toast('Saved; the next sweep goes by it');
    });
  return (
    <Section title="How long what is kept" flush>
      <ScrollTable label="Retention by class">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>What</Table.Th>
            <Table.Th>Days</Table.Th>
            <Table.Th>Goes next</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {kept.classes.map((each) => (
            <Table.Tr key={each.class}>
              <Cell>
                <Text size="sm" fw={600}>
                  {keptWords(each.class).name}
                </Text>
                <Text size="xs" c="dimmed">
                  {keptWords(each.class).about} Usually {plural(each.usualDays, 'day')}.
                </Text>
              </Cell>
              <Cell label="Days">
                <NumberInput
                  aria-label={`Days: ${keptWords(each.class).name}`}
                  size="xs"
                  w={110}
                  min={each.minDays}
                  max={each.maxDays}
                  clampBehavior="none"
                  allowDecimal={false}
                  allowNegative={false}
                  readOnly={why !== undefined}
                  value={days[each.class] ?? each.days}
                  error={
                    isWrong(each)
                      ? `${each.minDays} to ${each.maxDays.toLocaleString()}`
                      : (wrong[each.class] ?? undefined)
                  }
                  onChange={(value) =>
                    setDays({ ...days, [each.class]: value === '' || value === '-' ? '' : Number(value) })
                  }
                />
              </Cell>
              <Cell label="Goes next">
                <span className={isOld ? classes.old : undefined}>
                  {why === undefined && isUsable ? goingWords(going.get(each.class)) : '–'}
                </span>
              </Cell>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
      <Stack gap="sm" p="md">
        <Text size="sm" c="dimmed">
          A sweep comes about twice an hour and deletes for good what is older. Submissions with their fields stay with
          the lead, whatever is chosen here.
        </Text>
        {preview.isError && <Alert color="red">{messageOf(preview.error)}</Alert>}
        {keep.isError && Object.keys(wrong).length === 0 && <Alert color="red">{messageOf(keep.error)}</Alert>}
        <Group>
          <PermitButton
            why={why ?? (changed.length === 0 ? 'Nothing is changed.' : isUsable ? undefined : 'Mend the days first.')}
            loading={keep.isPending}
            onClick={() => (goes.length > 0 || isOld ? setAsking(true) : void save().catch(() => undefined))}
          >
            Save
          </PermitButton>
        </Group>
      </Stack>
      <Confirm
        opened={asking}
        title="Delete what is older?"
        verb="Save"
        onClose={() => setAsking(false)}
        onConfirm={save}
      >
        {isOld
          ? 'What goes for good with the next sweep is being counted.'
          : `With the next sweep these go for good: ${told}.`}
      </Confirm>
    </Section>
  );
}
