import { Select } from '@mantine/core';
import type { LeadDetail, Pipeline } from '@/api/shapes';
import { formatMoney } from '@/lib/money';
import { isStale } from '@/lib/stale';
import { State, Time } from '@/ui/basics';
import { InlineEdit } from '@/ui/InlineEdit';
import { toastError } from '@/ui/toast';
import { closingOf } from './closing';
import classes from './Lead.module.css';
import { useUpdateLead } from './mutations';

const QUOTABLE = [
  { value: 'not_set', label: 'Not set' },
  { value: 'yes', label: 'Yes' },
  { value: 'no', label: 'No' },
  { value: 'pending', label: 'Pending' },
];

interface WorthProps {
  lead: LeadDetail;
  pipeline: Pipeline | undefined;
  canEdit: boolean;
}

/** What the lead is worth, and why it was won or lost. */
export function Worth({ lead, pipeline, canEdit }: WorthProps) {
  const update = useUpdateLead(lead.id);
  const stage = pipeline?.stages.find(({ id }) => id === lead.stageId);
  const closing = pipeline && stage ? closingOf(pipeline, stage.kind) : { reasons: [], required: false };
  const reasons = [...new Set([...closing.reasons, ...(lead.closeReason ? [lead.closeReason] : [])])];
  const shown = (amount: string | null | undefined) => (amount ? formatMoney(amount, lead.currency) : undefined);
  const orNull = (text: string) => (text === '' ? null : text);
  const save = (field: 'quoteValue' | 'salesValue') => (value: string, seen: string) =>
    update.mutateAsync({ [field]: orNull(value), seen: { [field]: orNull(seen) } });
  const change = (change: Parameters<typeof update.mutate>[0]) =>
    update.mutate(change, { onError: (error) => toastError('The lead was not changed', error) });
  return (
    <dl className={classes.facts}>
      <dt>Quotable</dt>
      <dd>
        <Select
          size="xs"
          w={130}
          aria-label="Quotable"
          allowDeselect={false}
          readOnly={!canEdit}
          data={QUOTABLE}
          value={lead.quotable}
          onChange={(value) => value && change({ quotable: value as LeadDetail['quotable'] })}
        />
      </dd>
      <dt>Quote value</dt>
      <dd>
        <InlineEdit
          label={`Quote value (${lead.currency})`}
          value={lead.quoteValue ?? ''}
          display={shown(lead.quoteValue)}
          readOnly={!canEdit}
          onSave={save('quoteValue')}
        />
      </dd>
      <dt>Sales value</dt>
      <dd>
        <InlineEdit
          label={`Sales value (${lead.currency})`}
          value={lead.salesValue ?? ''}
          display={shown(lead.salesValue)}
          readOnly={!canEdit}
          onSave={save('salesValue')}
        />
      </dd>
      {reasons.length > 0 && (
        <>
          <dt>{stage?.kind === 'won' ? 'Won because' : 'Lost because'}</dt>
          <dd>
            <Select
              size="xs"
              w={200}
              aria-label="Reason"
              placeholder="No reason given"
              clearable={!closing.required}
              allowDeselect={false}
              readOnly={!canEdit}
              data={reasons}
              value={lead.closeReason ?? null}
              onChange={(closeReason) => change({ closeReason })}
            />
          </dd>
        </>
      )}
      <dt>In this stage</dt>
      <dd>
        <span className={classes.factsValue}>
          since <Time at={lead.stageEnteredAt} />
        </span>
        {isStale(lead, stage) && <State color="orange">stale</State>}
      </dd>
    </dl>
  );
}
