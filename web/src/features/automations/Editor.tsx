import { Checkbox, NumberInput, Skeleton, Switch, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { filterFieldsQuery } from '@/api/lookups';
import { templatesQuery } from '@/api/messaging';
import { messageOf, Problem } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Automation, FilterField } from '@/api/shapes';
import { Failure, PermitButton } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { isWhole, knownFields } from '@/ui/filter/FilterBuilder';
import { useFormFocus } from '@/ui/formFocus';
import { toast } from '@/ui/toast';
import classes from './Automations.module.css';
import { DryRunBox } from './DryRunBox';
import { bodyOf, type Draft, draftOf, emptyDraft, MOST_MINUTES, missing } from './draft';
import { useAutomationWrites } from './queries';
import { ConditionsBox, StageSelect } from './StepFields';
import { StepList } from './StepList';
import { TriggerFields } from './TriggerFields';

const NIGHT = { from: '21:00', until: '08:00' };

const EXITS = [
  { value: 'replied', label: 'the person replies' },
  { value: 'converted', label: 'the lead is converted' },
  { value: 'closed', label: 'the lead is won or lost' },
  { value: 'unsubscribed', label: 'the person wants no more messages' },
  { value: 'stage_left', label: 'the lead leaves a stage' },
] as const;

/** The rule builder: what starts it, the steps from top to bottom, and a rehearsal beside them. */
export function Editor({ automation }: { automation?: Automation }) {
  const navigate = useNavigate();
  const why = usePermits().why('settings:manage');
  const templates = useQuery(templatesQuery);
  const fields = useQuery(filterFieldsQuery);
  const [version, setVersion] = useState(automation?.version);
  const [draft, setDraft] = useState<Draft>(() => (automation ? draftOf(automation) : emptyDraft()));
  const [tried, setTried] = useState(false);
  const [removing, setRemoving] = useState(false);
  const { form, showFault } = useFormFocus(!automation && templates.isSuccess);
  const { make, change, remove } = useAutomationWrites();
  const failure = make.error ?? change.error;
  const set = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));

  const faults = tried ? { ...refusals(failure), ...missing(draft) } : {};
  // What is wrong inside conditions is told beside them.
  const faultAt = (pointer: string): string | undefined =>
    faults[pointer] ??
    (isOfConditions(pointer) ? Object.entries(faults).find(([at]) => at.startsWith(`${pointer}/`))?.[1] : undefined);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(missing(draft)).length > 0 || !areWhole(draft, knownFields(fields.data ?? []))) {
      return showFault();
    }
    const body = bodyOf(draft);
    if (automation) {
      change.mutate(
        { id: automation.id, ...body, version },
        {
          onSuccess: (next) => {
            setVersion(next.version);
            setTried(false);
            toast(`Saved ${next.name}. Runs that are under way keep what they began with.`);
          },
          onError: showFault,
        },
      );
    } else {
      make.mutate(body, {
        onSuccess: (made) => {
          toast(`Made ${made.name}`);
          void navigate({ to: '/automations/$automationId', params: { automationId: made.id }, replace: true });
        },
        onError: showFault,
      });
    }
  };

  if (templates.isError) return <Failure error={templates.error} retry={() => void templates.refetch()} />;
  if (!templates.data) return <Skeleton h={420} />;
  const readOnly = why !== undefined;
  const general = failure && !(failure instanceof Problem && failure.errors.length > 0) ? failure : null;
  return (
    <div className={classes.editor}>
      <form ref={form} onSubmit={submit} className={classes.form} noValidate>
        <TextInput
          label="Automation name"
          required
          maxLength={80}
          readOnly={readOnly}
          data-autofocus={!automation || undefined}
          value={draft.name}
          error={faultAt('/name')}
          onChange={(event) => set({ name: event.currentTarget.value })}
        />
        <Textarea
          label="Description"
          maxLength={500}
          autosize
          minRows={1}
          readOnly={readOnly}
          value={draft.description}
          error={faultAt('/description')}
          onChange={(event) => set({ description: event.currentTarget.value })}
        />
        <TriggerFields draft={draft} readOnly={readOnly} faultAt={faultAt} onChange={set} />
        <section aria-label="Which leads">
          <h2 className={classes.head}>Only for leads that match</h2>
          {draft.conditions.children.length === 0 && <p className={classes.note}>It starts for every lead.</p>}
          <ConditionsBox
            group={draft.conditions}
            readOnly={readOnly}
            tried={tried}
            fault={faultAt('/condition')}
            onChange={(conditions) => set({ conditions })}
          />
        </section>
        <StepList
          steps={draft.steps}
          templates={templates.data}
          readOnly={readOnly}
          tried={tried}
          faultAt={faultAt}
          onChange={(steps) => set({ steps })}
        />
        <section aria-label="Limits" className={classes.limits}>
          <NumberInput
            label="Safety lock"
            description="The same phone or e-mail does not start it again for so many minutes; 0 for no lock."
            suffix=" min"
            min={0}
            max={MOST_MINUTES}
            allowDecimal={false}
            readOnly={readOnly}
            value={draft.safetyLockMinutes}
            error={faultAt('/safetyLockMinutes')}
            onChange={(value) => set({ safetyLockMinutes: Number(value) || 0 })}
          />
          <Quiet draft={draft} readOnly={readOnly} fault={faultAt('/quietHours')} onChange={set} />
          <Checkbox.Group
            label="Stop early when"
            value={draft.exitOn}
            onChange={(values) =>
              !readOnly && set({ exitOn: EXITS.map(({ value }) => value).filter((value) => values.includes(value)) })
            }
          >
            <div className={classes.checks}>
              {EXITS.map(({ value, label }) => (
                <Checkbox key={value} value={value} label={label} disabled={readOnly} />
              ))}
            </div>
          </Checkbox.Group>
          {draft.exitOn.includes('stage_left') && (
            <StageSelect
              label="Which stage it leaves"
              placeholder="Any stage"
              readOnly={readOnly}
              value={draft.exitStageId}
              fault={faultAt('/exitStageId')}
              onChange={(exitStageId) => set({ exitStageId })}
            />
          )}
          <Switch
            label="Active"
            description="Off, nothing starts and nothing more is sent."
            disabled={readOnly}
            checked={draft.isActive}
            onChange={(event) => set({ isActive: event.currentTarget.checked })}
          />
        </section>
        {general && (
          <div role="alert" className={classes.failure}>
            {messageOf(general)}
          </div>
        )}
        {tried && (Object.keys(faults).length > 0 || !areWhole(draft, knownFields(fields.data ?? []))) && (
          <div role="alert" className={classes.failure}>
            Some fields need another look before this can be saved.
          </div>
        )}
        <div className={classes.actions}>
          <PermitButton type="submit" why={why} loading={make.isPending || change.isPending}>
            {automation ? 'Save' : 'Make the automation'}
          </PermitButton>
          {automation && (
            <PermitButton variant="subtle" color="gray" why={why} onClick={() => setRemoving(true)}>
              Delete
            </PermitButton>
          )}
        </div>
      </form>
      <DryRunBox draft={draft} />
      <Confirm
        opened={removing}
        title={`Delete ${automation?.name ?? 'the automation'}`}
        verb="Delete"
        onClose={() => setRemoving(false)}
        onConfirm={async () => {
          if (!automation) return;
          await remove.mutateAsync(automation.id);
          await navigate({ to: '/automations' });
        }}
      >
        Nothing more is sent by it, also to leads that are half-way. What it did stays on their timelines.
      </Confirm>
    </div>
  );
}

const isOfConditions = (pointer: string) => pointer === '/condition' || pointer.endsWith('/filter');

/** Whether every condition has its value. */
const areWhole = (draft: Draft, fields: FilterField[]) =>
  [
    draft.conditions,
    ...draft.steps.filter(({ kind }) => kind === 'condition').map(({ conditions }) => conditions),
  ].every((group) => isWhole(group, fields));

/** What the server refused, by the field it is about. */
function refusals(failure: unknown): Record<string, string> {
  if (!(failure instanceof Problem)) return {};
  return Object.fromEntries(failure.errors.map(({ pointer, message }) => [pointer, message]));
}

interface QuietProps {
  draft: Draft;
  readOnly: boolean;
  fault: string | undefined;
  onChange: (part: Partial<Draft>) => void;
}

function Quiet({ draft, readOnly, fault, onChange }: QuietProps) {
  const { quiet } = draft;
  return (
    <div>
      <Switch
        label="Quiet hours"
        description="What comes due then waits until they end, by the lead's own clock where it is known."
        disabled={readOnly}
        checked={quiet !== null}
        onChange={(event) => onChange({ quiet: event.currentTarget.checked ? NIGHT : null })}
      />
      {quiet && (
        <div className={classes.hours}>
          {(['from', 'until'] as const).map((end) => (
            <TextInput
              key={end}
              type="time"
              label={end === 'from' ? 'From' : 'Until'}
              readOnly={readOnly}
              value={quiet[end]}
              error={end === 'from' ? fault : undefined}
              onChange={(event) => onChange({ quiet: { ...quiet, [end]: event.currentTarget.value || quiet[end] } })}
            />
          ))}
        </div>
      )}
    </div>
  );
}
