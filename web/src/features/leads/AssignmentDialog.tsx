import { Alert, Button, Group, Modal, MultiSelect, NumberInput, Select, Stack, Switch, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { filterFieldsQuery, membersQuery } from '@/api/lookups';
import { fieldErrors, messageOf } from '@/api/problem';
import type { AssignmentMethod, AssignmentRule } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Failure } from '@/ui/basics';
import { type Group as Conditions, emptyGroup, filterJson, groupOf } from '@/ui/filter/conditions';
import { GroupFields, isWhole, knownFields } from '@/ui/filter/FilterBuilder';
import { toast } from '@/ui/toast';
import { trialQuery, useRuleWrites } from './assignmentQueries';
import classes from './Segments.module.css';

export const METHODS: { value: AssignmentMethod; label: string }[] = [
  { value: 'round_robin', label: 'One after the other' },
  { value: 'least_busy', label: 'Whoever has the fewest open leads' },
  { value: 'person', label: 'Always the same person' },
];

const TRIAL_DELAY_MS = 300;
const EVERYTHING = { all: [] };

interface AssignmentDialogProps {
  rule?: AssignmentRule;
  onClose: () => void;
}

/** A rule: which leads, to whom, and what it would have done with the last hundred. */
export function AssignmentDialog({ rule, onClose }: AssignmentDialogProps) {
  const fields = useQuery(filterFieldsQuery);
  const members = useQuery(membersQuery).data ?? [];
  const [group, setGroup] = useState<Conditions>(() => groupOf(rule?.filter) ?? emptyGroup());
  const [tried, setTried] = useState(false);
  const { make, change } = useRuleWrites();
  const form = useForm({
    initialValues: {
      name: rule?.name ?? '',
      method: rule?.method ?? ('round_robin' as AssignmentMethod),
      members: rule?.members ?? [],
      onlyAvailable: rule?.onlyAvailable ?? false,
      takesReturning: rule?.takesReturning ?? false,
      fallbackUserId: rule?.fallbackUserId ?? null,
      respondWithinMinutes: rule?.respondWithinMinutes ?? ('' as number | ''),
    },
    validate: {
      name: (name) => (name.trim() === '' ? 'Enter a name.' : null),
      members: (chosen) => (chosen.length === 0 ? 'Choose who gets them.' : null),
    },
  });
  const known = knownFields(fields.data ?? []);
  const complete = isWhole(group, known);
  const filter = filterJson(group) ?? EVERYTHING;
  const failure = make.error ?? change.error;
  const people = members.map(({ id, name }) => ({ value: id, label: name }));
  const isOne = form.values.method === 'person';
  const submit = form.onSubmit((values) => {
    setTried(true);
    if (!complete) return;
    const said = {
      ...values,
      name: values.name.trim(),
      members: isOne ? values.members.slice(0, 1) : values.members,
      respondWithinMinutes: values.respondWithinMinutes === '' ? null : values.respondWithinMinutes,
      filter,
    };
    const handlers = {
      onSuccess: (saved: AssignmentRule) => {
        toast(`Saved ${saved.name}`);
        onClose();
      },
      onError: (error: unknown) => form.setErrors(fieldErrors(error)),
    };
    if (rule) change.mutate({ id: rule.id, version: rule.version, ...said }, handlers);
    else make.mutate(said, handlers);
  });
  return (
    <Modal opened onClose={onClose} title={rule ? rule.name : 'New assignment rule'} size="lg">
      {fields.isError && <Failure error={fields.error} retry={() => void fields.refetch()} />}
      <form onSubmit={submit} noValidate>
        <Stack gap="sm">
          {failure && <Alert color="red">{messageOf(failure)}</Alert>}
          <TextInput label="Name" required maxLength={80} data-autofocus {...form.getInputProps('name')} />
          <section aria-label="Which leads">
            <GroupFields group={group} fields={known} depth={1} tried={tried} onChange={setGroup} />
            <Trial filter={filter} complete={complete && known.length > 0} ruleId={rule?.id} />
          </section>
          <Select label="Give them to" allowDeselect={false} data={METHODS} {...form.getInputProps('method')} />
          {isOne ? (
            <Select
              label="Person"
              required
              searchable
              data={people}
              value={form.values.members[0] ?? null}
              error={form.errors.members}
              onChange={(id) => form.setFieldValue('members', id ? [id] : [])}
            />
          ) : (
            <MultiSelect
              label="People"
              description="In the order of their turns"
              required
              searchable
              hidePickedOptions
              data={people}
              {...form.getInputProps('members')}
            />
          )}
          <Switch
            label="Only who is at work"
            description="In their working hours, and not away"
            {...form.getInputProps('onlyAvailable', { type: 'checkbox' })}
          />
          <Select
            label="If none of them can take it"
            placeholder="Ask the next rule"
            clearable
            searchable
            data={people}
            {...form.getInputProps('fallbackUserId')}
          />
          <NumberInput
            label="First answer within (minutes)"
            description="In working hours; empty for what the workspace set"
            min={1}
            max={44640}
            allowDecimal={false}
            {...form.getInputProps('respondWithinMinutes')}
          />
          <Switch
            label="Also leads that come back"
            description="Where they are nobody’s by then"
            {...form.getInputProps('takesReturning', { type: 'checkbox' })}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={make.isPending || change.isPending}>
              {rule ? 'Save' : 'Add the rule'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface TrialProps {
  filter: Record<string, unknown>;
  complete: boolean;
  ruleId: string | undefined;
}

/** What the conditions would have taken, as they are being built. */
function Trial({ filter, complete, ruleId }: TrialProps) {
  const [asked] = useDebouncedValue(filter, TRIAL_DELAY_MS);
  const trial = useQuery({ ...trialQuery(asked, ruleId), enabled: complete });
  if (!complete) return <p className={classes.note}>Enter the missing values to see what it would take.</p>;
  if (trial.isError) return <p className={classes.failure}>{messageOf(trial.error)}</p>;
  if (!trial.data) return <p className={classes.note}>Trying it on the last leads…</p>;
  const { lookedAt, matching, takenBefore } = trial.data;
  return (
    <p className={classes.note} aria-live="polite">
      This rule would have taken <strong>{matching - takenBefore}</strong> of the last {plural(lookedAt, 'lead')}
      {takenBefore > 0 && `; ${takenBefore} that match go to rules before it`}.
    </p>
  );
}
