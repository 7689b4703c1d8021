import { Button, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useState } from 'react';
import classes from './Destinations.module.css';
import { stateWord } from './Health';
import { destinationsQuery, eventsQuery } from './queries';
import { type DeliveriesSearch, isNarrowed, STATES } from './search';

interface DeliveryFiltersProps {
  withDestination: boolean;
  search: DeliveriesSearch;
  onSearch: (search: DeliveriesSearch) => void;
}

/** What the log is narrowed to; each change is in the URL, and begins at the first page. */
export function DeliveryFilters({ withDestination, search, onSearch }: DeliveryFiltersProps) {
  const destinations = useQuery({ ...destinationsQuery, enabled: withDestination }).data ?? [];
  const events = useQuery(eventsQuery).data ?? [];
  const { page: _page, ...rest } = search;
  const change = (part: Partial<DeliveriesSearch>) => onSearch({ ...rest, ...part });
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring a border and a legend that nobody needs
    <div className={classes.filters} role="group" aria-label="Filters">
      {search.tab !== 'dead' && (
        <Select
          size="xs"
          aria-label="State"
          placeholder="Any state"
          clearable
          data={STATES.map((state) => ({ value: state, label: stateWord(state) }))}
          value={search.status ?? null}
          onChange={(value) => change({ status: STATES.find((state) => state === value) })}
        />
      )}
      {withDestination && (
        <Select
          size="xs"
          aria-label="Destination"
          placeholder="Any destination"
          clearable
          searchable
          data={destinations.map(({ id, name }) => ({ value: id, label: name }))}
          value={search.destinationId ?? null}
          onChange={(value) => change({ destinationId: value ?? undefined })}
        />
      )}
      <Select
        size="xs"
        aria-label="Event"
        placeholder="Any event"
        clearable
        searchable
        data={events}
        value={search.event ?? null}
        onChange={(value) => change({ event: value ?? undefined })}
      />
      <TimeField label="From" value={search.from} onChange={(from) => change({ from })} />
      <TimeField label="To" value={search.to} onChange={(to) => change({ to })} />
      <AnswerField value={search.answer} onChange={(answer) => change({ answer })} />
      {isNarrowed(search) && (
        <Button variant="subtle" size="compact-sm" onClick={() => onSearch(search.tab ? { tab: search.tab } : {})}>
          Clear
        </Button>
      )}
    </div>
  );
}

interface FieldProps {
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

function TimeField({ label, value, onChange }: FieldProps & { label: string }) {
  const id = useId();
  return (
    <div className={classes.timeField}>
      <label htmlFor={id}>{label}</label>
      <TextInput
        id={id}
        size="xs"
        type="datetime-local"
        value={value ?? ''}
        onChange={(event) => onChange(event.currentTarget.value || undefined)}
      />
    </div>
  );
}

/** Looks with Enter or on leaving the field: each letter would be a question. */
function AnswerField({ value, onChange }: FieldProps) {
  const [draft, setDraft] = useState(value ?? '');
  useEffect(() => setDraft(value ?? ''), [value]);
  const settle = () => {
    const next = draft.trim() || undefined;
    if (next !== value) onChange(next);
  };
  return (
    <TextInput
      size="xs"
      aria-label="Status or error"
      placeholder="Status or error"
      maxLength={200}
      value={draft}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={settle}
      onKeyDown={(event) => event.key === 'Enter' && settle()}
    />
  );
}
