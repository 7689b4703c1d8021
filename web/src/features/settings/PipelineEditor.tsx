import { Alert, Button, Checkbox, Group, TagsInput, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { useState } from 'react';
import { pipelinesQuery } from '@/api/lookups';
import { messageOf, Problem } from '@/api/problem';
import type { Pipeline } from '@/api/shapes';
import { PermitButton, Section } from '@/ui/basics';
import { toast } from '@/ui/toast';
import { PipelineStages } from './PipelineStages';
import classes from './Pipelines.module.css';
import { bodyOf, crowdedRemovals, draftOf, isChanged, type PipelineDraft } from './pipelineDraft';
import { isChangedMeanwhile, needsTarget, pipelineApi, usePipelineWrite } from './pipelineQueries';
import { TargetDialog } from './TargetDialog';

interface PipelineEditorProps {
  pipeline: Pipeline;
  all: Pipeline[];
  why: string | undefined;
}

/** One pipeline with its stages. It is saved as a whole, on the version that the draft began with. */
export function PipelineEditor({ pipeline, all, why }: PipelineEditorProps) {
  const client = useQueryClient();
  const [base, setBase] = useState(pipeline);
  const [draft, setDraft] = useState(() => draftOf(pipeline));
  const [asking, setAsking] = useState(false);
  const save = usePipelineWrite(pipelineApi.save);
  const isDirty = isChanged(base, draft);
  // What others changed shows as long as nothing is being edited here.
  if (!isDirty && pipeline !== base) {
    setBase(pipeline);
    setDraft(draftOf(pipeline));
  }
  useBlocker({
    shouldBlockFn: () => isDirty && !window.confirm('Leave without saving the changes?'),
    enableBeforeUnload: () => isDirty,
  });
  const begin = (from: Pipeline) => {
    setBase(from);
    setDraft(draftOf(from));
    save.reset();
  };
  const put = (change: Partial<PipelineDraft>) => setDraft({ ...draft, ...change });
  const send = async (moveLeadsTo?: string) => {
    const saved = await save.mutateAsync({ id: base.id, ...bodyOf(base, draft, moveLeadsTo) });
    begin(saved);
    toast(`Saved ${saved.name}`);
  };
  const submit = () => {
    if (crowdedRemovals(base, draft).length > 0) return setAsking(true);
    send().catch((error: unknown) => {
      if (needsTarget(error)) setAsking(true);
    });
  };
  const loadTheirs = async () => {
    const fresh = await client.fetchQuery({ ...pipelinesQuery, staleTime: 0 });
    const theirs = fresh.find(({ id }) => id === base.id);
    if (theirs) begin(theirs);
  };
  const faultAt = (pointer: string) =>
    save.error instanceof Problem ? save.error.errors.find((each) => each.pointer === pointer)?.message : undefined;
  const readOnly = why !== undefined;
  const kept = draft.stages.flatMap(({ id, name }) => (id ? [{ id, name }] : []));
  const waiting = crowdedRemovals(base, draft).reduce((sum, { leadCount }) => sum + (leadCount ?? 0), 0);
  return (
    <Section title={`Stages of ${base.name}`}>
      <form
        className={classes.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {isChangedMeanwhile(save.error) ? (
          <Alert color="orange" title="Somebody else changed this pipeline meanwhile">
            <p className={classes.note}>Nothing was saved, and what you changed is still here.</p>
            <Button variant="default" onClick={() => void loadTheirs()}>
              Discard mine and load theirs
            </Button>
          </Alert>
        ) : (
          save.isError && !asking && <Alert color="red">{messageOf(save.error)}</Alert>
        )}
        <TextInput
          label="Name"
          className={classes.name}
          maxLength={80}
          readOnly={readOnly}
          error={faultAt('/name')}
          value={draft.name}
          onChange={(event) => put({ name: event.currentTarget.value })}
        />
        <PipelineStages
          pipeline={base}
          stages={draft.stages}
          readOnly={readOnly}
          faultAt={faultAt}
          onChange={(stages) => put({ stages })}
        />
        <fieldset className={classes.reasons} disabled={readOnly}>
          <legend>Reasons</legend>
          <TagsInput
            label="Why leads are lost"
            description="Asked when a lead is moved into a lost stage. Without any nobody is asked."
            placeholder="Add a reason, then Enter"
            size="sm"
            maxTags={30}
            readOnly={readOnly}
            value={draft.lostReasons}
            onChange={(lostReasons) =>
              put({ lostReasons, ...(lostReasons.length ? {} : { lostReasonRequired: false }) })
            }
          />
          <Checkbox
            label="No lead is lost without a reason"
            disabled={draft.lostReasons.length === 0}
            checked={draft.lostReasonRequired}
            onChange={(event) => put({ lostReasonRequired: event.currentTarget.checked })}
          />
          <TagsInput
            label="Why leads are won"
            placeholder="Add a reason, then Enter"
            size="sm"
            maxTags={30}
            readOnly={readOnly}
            value={draft.wonReasons}
            onChange={(wonReasons) => put({ wonReasons, ...(wonReasons.length ? {} : { wonReasonRequired: false }) })}
          />
          <Checkbox
            label="No lead is won without a reason"
            disabled={draft.wonReasons.length === 0}
            checked={draft.wonReasonRequired}
            onChange={(event) => put({ wonReasonRequired: event.currentTarget.checked })}
          />
        </fieldset>
        <Group>
          <PermitButton type="submit" size="sm" why={why} loading={save.isPending} disabled={!isDirty}>
            Save
          </PermitButton>
          {isDirty && (
            <Button variant="default" size="sm" onClick={() => begin(pipeline)}>
              Discard the changes
            </Button>
          )}
        </Group>
      </form>
      {asking && (
        <TargetDialog
          title="Leads are in stages that you remove"
          verb="Move them and save"
          leads={Math.max(waiting, 1)}
          pipelines={[{ id: base.id, name: base.name, stages: kept }, ...all.filter(({ id }) => id !== base.id)]}
          onClose={() => setAsking(false)}
          onConfirm={send}
        />
      )}
    </Section>
  );
}
