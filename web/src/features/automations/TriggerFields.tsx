import { NumberInput, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { segmentsQuery } from '@/api/lookups';
import { humanise } from '@/lib/text';
import classes from './Automations.module.css';
import { ANY_SOURCE, type Draft, EVENTS, isArrival, isOfSegment } from './draft';
import { sourcesQuery } from './queries';
import { StageSelect } from './StepFields';

interface TriggerFieldsProps {
  draft: Draft;
  readOnly: boolean;
  faultAt: (pointer: string) => string | undefined;
  onChange: (part: Partial<Draft>) => void;
}

/** What starts it. */
export function TriggerFields({ draft, readOnly, faultAt, onChange }: TriggerFieldsProps) {
  return (
    <section aria-label="Trigger" className={classes.trigger}>
      <Select
        label="Starts when"
        allowDeselect={false}
        readOnly={readOnly}
        data={EVENTS}
        value={draft.event}
        onChange={(event) => event && onChange({ event: event as Draft['event'] })}
      />
      {isArrival(draft.event) && (
        <SourceSelect
          value={draft.sourceId}
          readOnly={readOnly}
          fault={faultAt('/webhookSourceId')}
          onChange={(sourceId) => onChange({ sourceId })}
        />
      )}
      {isOfSegment(draft.event) && (
        <SegmentSelect
          value={draft.segmentId}
          readOnly={readOnly}
          fault={faultAt('/trigger/segmentId')}
          onChange={(segmentId) => onChange({ segmentId })}
        />
      )}
      {draft.event === 'lead.stage_changed' && (
        <StageSelect
          label="Stage"
          required
          value={draft.stageId}
          readOnly={readOnly}
          fault={faultAt('/trigger/stageId')}
          onChange={(stageId) => onChange({ stageId })}
        />
      )}
      {(draft.event === 'lead.tag_added' || draft.event === 'message.received') && (
        <TextInput
          label={draft.event === 'lead.tag_added' ? 'Tag' : 'Tag of the conversation'}
          description={draft.event === 'message.received' ? 'Empty for any conversation.' : undefined}
          required={draft.event === 'lead.tag_added'}
          maxLength={60}
          readOnly={readOnly}
          value={draft.tag}
          error={faultAt('/trigger/tag')}
          onChange={(event) => onChange({ tag: event.currentTarget.value })}
        />
      )}
      {draft.event === 'lead.score_crossed' && (
        <NumberInput
          label="Score"
          min={1}
          max={100}
          allowDecimal={false}
          readOnly={readOnly}
          value={draft.score}
          error={faultAt('/trigger/score')}
          onChange={(value) => onChange({ score: Number(value) || 0 })}
        />
      )}
    </section>
  );
}

interface ChoiceProps {
  value: string | null;
  readOnly: boolean;
  fault: string | undefined;
  onChange: (value: string | null) => void;
}

function SourceSelect({ value, readOnly, fault, onChange }: ChoiceProps) {
  const sources = useQuery(sourcesQuery).data ?? [];
  const kinds = [...new Set(sources.map(({ kind }) => kind))].sort((a, b) => rank(a) - rank(b));
  const groups = kinds.map((kind) => ({
    group: humanise(kind),
    items: sources
      .filter((source) => source.kind === kind)
      .map(({ sourceId, name }) => ({ value: sourceId, label: name })),
  }));
  return (
    <Select
      label="Trigger on webhook"
      required
      searchable
      allowDeselect={false}
      readOnly={readOnly}
      placeholder="Choose a webhook, or another source"
      nothingFoundMessage="No source has this name"
      data={[...groups, { group: 'All', items: [{ value: ANY_SOURCE, label: 'Any source' }] }]}
      value={value}
      error={fault}
      onChange={onChange}
    />
  );
}

/** Webhooks come first: they are what most are built for. */
const rank = (kind: string) => (kind === 'webhook' ? 0 : 1);

function SegmentSelect({ value, readOnly, fault, onChange }: ChoiceProps) {
  const segments = useQuery(segmentsQuery).data ?? [];
  return (
    <Select
      label="Segment"
      description="Segments that are followed on timelines"
      required
      searchable
      allowDeselect={false}
      readOnly={readOnly}
      placeholder="Choose a segment"
      nothingFoundMessage="No segment that is followed has this name"
      data={segments
        .filter(({ id, isFollowed }) => isFollowed || id === value)
        .map(({ id, name }) => ({ value: id, label: name }))}
      value={value}
      error={fault}
      onChange={onChange}
    />
  );
}
