import { Alert, Button, Group, NumberInput, Skeleton, Stack, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { useState } from 'react';
import { messageOf, Problem } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Scoring as Current } from '@/api/shapes';
import { Failure, PermitButton } from '@/ui/basics';
import { toast } from '@/ui/toast';
import { Rescore } from './Rescore';
import classes from './Scoring.module.css';
import { ScoringPreview } from './ScoringPreview';
import { ScoringRules } from './ScoringRules';
import { ScoringVersions } from './ScoringVersions';
import { scoringApi, scoringQuery, useScoringWrite } from './scoringQueries';
import { type Draft, draftOf, GROUPS, isSame, proposal, weightWords } from './scoringWords';

export function Scoring() {
  const scoring = useQuery(scoringQuery);
  if (scoring.isPending) return <Skeleton h={480} />;
  if (scoring.isError) return <Failure error={scoring.error} retry={() => void scoring.refetch()} />;
  return (
    <div className={classes.page}>
      <ScoringForm key={scoring.data.version} scoring={scoring.data} />
      <Rescore version={scoring.data.version} />
      <ScoringVersions current={scoring.data.version} />
    </div>
  );
}

function ScoringForm({ scoring }: { scoring: Current }) {
  const why = usePermits().why('settings:manage');
  const readOnly = why !== undefined;
  const [draft, setDraft] = useState<Draft>(() => draftOf(scoring));
  const [note, setNote] = useState('');
  const save = useScoringWrite(scoringApi.save);
  const isDirty = !isSame(draft, scoring);
  const next = scoring.version + 1;
  useBlocker({
    shouldBlockFn: () => isDirty && !save.isSuccess && !window.confirm('Leave without saving the changes?'),
    enableBeforeUnload: () => isDirty,
  });
  const faults = save.error instanceof Problem ? save.error.errors : [];
  const faultAt = (pointer: string) => faults.find((fault) => fault.pointer === pointer)?.message;
  const submit = () =>
    save.mutate(
      { ...proposal(draft, scoring), version: scoring.version, note: note.trim() || null },
      { onSuccess: () => toast(`Saved as version ${next}`) },
    );
  return (
    <form
      className={classes.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <p className={classes.lead}>
        {scoring.version === 0
          ? 'Leads score as documented. What you change here becomes version 1.'
          : `Version ${scoring.version} is in use. New submissions and visits score by it.`}
      </p>
      {GROUPS.map(({ group, title, text }) => (
        <fieldset key={group} className={classes.group}>
          <legend>{title}</legend>
          <p className={classes.small}>{text}</p>
          {scoring.weights
            .filter((weight) => weight.group === group)
            .map((weight) => (
              <WeightRow
                key={weight.code}
                weight={weight}
                value={draft.weights[weight.code] ?? weight.value}
                error={faultAt(`/weights/${weight.code}`)}
                readOnly={readOnly}
                onChange={(value) => setDraft({ ...draft, weights: { ...draft.weights, [weight.code]: value } })}
              />
            ))}
          {group === 'fit' && (
            <ScoringRules
              rules={draft.rules}
              faultAt={faultAt}
              readOnly={readOnly}
              onChange={(rules) => setDraft({ ...draft, rules })}
            />
          )}
        </fieldset>
      ))}
      <ScoringPreview body={proposal(draft, scoring)} isDirty={isDirty} why={why} />
      <Stack gap="xs">
        <Title order={2}>Save</Title>
        {save.isError && <Alert color="red">{messageOf(save.error)}</Alert>}
        <TextInput
          label="Note"
          description="What the change is for; it stands in the list of versions."
          maxLength={500}
          readOnly={readOnly}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Group gap="xs">
          <PermitButton type="submit" size="sm" why={why ?? unchanged(isDirty)} loading={save.isPending}>
            {`Save as version ${next}`}
          </PermitButton>
          {isDirty && (
            <Button variant="default" size="sm" onClick={() => setDraft(draftOf(scoring))}>
              Discard the changes
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}

const unchanged = (isDirty: boolean) => (isDirty ? undefined : 'Nothing is changed yet.');

interface WeightRowProps {
  weight: Current['weights'][number];
  value: number | string;
  error: string | undefined;
  readOnly: boolean;
  onChange: (value: number | string) => void;
}

function WeightRow({ weight, value, error, readOnly, onChange }: WeightRowProps) {
  const { code, documented, least, most } = weight;
  const words = weightWords(code);
  const differs = Number(value) !== documented;
  const id = `weight-${code}`;
  return (
    <div className={classes.weight} data-differs={differs || undefined}>
      <label htmlFor={id}>{words}</label>
      <NumberInput
        id={id}
        size="xs"
        w={84}
        min={least}
        max={most}
        allowDecimal={false}
        clampBehavior="blur"
        readOnly={readOnly}
        value={value}
        error={error}
        onChange={onChange}
      />
      <span className={classes.documented}>
        {differs && (
          <>
            documented {documented}
            {!readOnly && (
              <Button
                variant="subtle"
                size="compact-xs"
                aria-label={`Reset ${words} to ${documented}`}
                onClick={() => onChange(documented)}
              >
                Reset
              </Button>
            )}
          </>
        )}
      </span>
    </div>
  );
}
