import { Button, Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { messageOf } from '@/api/problem';
import type { DryRun, DryRunMessage } from '@/api/shapes';
import { Time } from '@/ui/basics';
import classes from './Automations.module.css';
import { bodyOf, channelLabel, type Draft, kindLabel, missing } from './draft';
import { leadChoicesQuery, useDryRun } from './queries';

const TYPING_MS = 250;

/** What would happen to a lead, and when: asked of the draft, sent to nobody. */
export function DryRunBox({ draft }: { draft: Draft }) {
  const [search, setSearch] = useState('');
  const [asked] = useDebouncedValue(search, TYPING_MS);
  const [leadId, setLeadId] = useState<string | null>(null);
  const leads = useQuery(leadChoicesQuery(asked));
  const dryRun = useDryRun();
  const isWhole = Object.keys(missing({ ...draft, name: draft.name || 'Dry run' })).length === 0;
  const play = () =>
    leadId && dryRun.mutate({ leadId, automation: { ...bodyOf(draft), name: draft.name.trim() || 'Dry run' } });
  return (
    <aside className={classes.rehearsal} aria-label="Dry run">
      <h2 className={classes.head}>Dry run</h2>
      <p className={classes.note}>What would happen if this lead started it now. Nothing is sent or changed.</p>
      <Select
        label="Lead"
        searchable
        placeholder="Find a lead"
        nothingFoundMessage={leads.isPending ? 'Looking' : 'No lead found'}
        data={(leads.data?.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        filter={({ options }) => options}
        searchValue={search}
        onSearchChange={setSearch}
        value={leadId}
        onChange={setLeadId}
      />
      <Button variant="default" mt="sm" disabled={!leadId || !isWhole} loading={dryRun.isPending} onClick={play}>
        Show what would happen
      </Button>
      {!isWhole && <p className={classes.note}>Fill in the trigger and the steps first.</p>}
      <div aria-live="polite">
        {dryRun.isError && <p className={classes.failure}>{messageOf(dryRun.error)}</p>}
        {dryRun.data && <Played result={dryRun.data} />}
      </div>
    </aside>
  );
}

function Played({ result }: { result: DryRun }) {
  if (result.reasonWords) {
    return <p className={classes.failure}>It would not start: {result.reasonWords.toLowerCase()}.</p>;
  }
  return (
    <>
      <ol className={classes.played}>
        {result.steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps have no id, and a row here is never moved
          <li key={index}>
            <div className={classes.playedHead}>
              <strong>Step {index + 1}</strong> <Time at={step.at} />
              {step.isPutOff && <span className={classes.note}>put off by quiet hours</span>}
            </div>
            {!step.message && <div className={classes.note}>{kindLabel(step.kind)}</div>}
            {step.words && <div className={step.isReached ? undefined : classes.note}>{step.words}</div>}
            {step.message && step.isReached && <Message message={step.message} />}
            {step.fallback && step.isReached && (
              <>
                <div className={classes.note}>If that fails</div>
                <Message message={step.fallback} />
              </>
            )}
          </li>
        ))}
      </ol>
      <p className={classes.note}>Quiet hours are read by the clock of {result.timezone}.</p>
    </>
  );
}

function Message({ message }: { message: DryRunMessage }) {
  const { channel, channelName, templateName, address, skipWords, subject, text } = message;
  return (
    <div className={classes.message}>
      <div>
        {channelLabel(channel)}
        {address && ` to ${address}`}
        {channelName && <span className={classes.note}> by {channelName}</span>}
      </div>
      {skipWords && <div className={classes.failure}>Skipped: {skipWords}.</div>}
      {templateName && <div className={classes.note}>{templateName}</div>}
      {subject && <div className={classes.subject}>{subject}</div>}
      {text && <p className={classes.text}>{text}</p>}
    </div>
  );
}
