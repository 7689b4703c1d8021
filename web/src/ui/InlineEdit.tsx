import { Button, Group, Text, TextInput } from '@mantine/core';
import { type KeyboardEvent, useRef, useState } from 'react';
import { messageOf, Problem } from '@/api/problem';
import classes from './ui.module.css';

interface InlineEditProps {
  label: string;
  value: string;
  placeholder?: string;
  /** Text shown while not editing, where it differs from what is edited. */
  display?: string;
  readOnly?: boolean;
  type?: 'text' | 'email' | 'tel';
  /** Writes what was typed over `seen`, which was there when editing began or which a conflict has shown since. */
  onSave: (value: string, seen: string) => Promise<unknown>;
}

interface Draft {
  text: string;
  seen: string;
}

/** Click or Enter edits, Enter or leaving saves, Esc puts the old value back. What was typed stays when saving
 *  fails. Where somebody else was quicker, both values are shown, and nothing is saved until one is chosen. */
export function InlineEdit(props: InlineEditProps) {
  const { label, value, placeholder = 'Add', display, readOnly, type = 'text', onSave } = props;
  const [draft, setDraft] = useState<Draft | null>(null);
  const [theirs, setTheirs] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const settling = useRef(false);

  if (readOnly) return <span>{display || value || '–'}</span>;
  if (draft === null) {
    return (
      <button
        type="button"
        className={classes.editable}
        data-empty={value === ''}
        aria-label={value ? `${label}: ${display || value}. Edit` : `${placeholder} ${label.toLowerCase()}`}
        onClick={() => setDraft({ text: value, seen: value })}
      >
        {display || value || placeholder}
      </button>
    );
  }

  const close = () => {
    setDraft(null);
    setTheirs(null);
    setError(null);
  };
  const save = async () => {
    if (settling.current) return;
    const next = draft.text.trim();
    if (next === draft.seen) return close();
    settling.current = true;
    try {
      await onSave(next, draft.seen);
      close();
    } catch (failure) {
      const conflict = failure instanceof Problem ? failure.conflicts[0] : undefined;
      if (conflict) {
        const found = textOf(conflict.theirs);
        setTheirs(found);
        setDraft({ text: next, seen: found });
        setError(null);
      } else {
        setError(messageOf(failure));
      }
    } finally {
      settling.current = false;
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') void save();
    if (event.key === 'Escape') close();
  };
  const field = (
    <TextInput
      size="xs"
      type={type}
      aria-label={label}
      value={draft.text}
      error={error}
      // Esc belongs to the field while it is edited, not to the panel around it.
      data-mantine-stop-propagation="true"
      ref={(input) => {
        if (input && document.activeElement !== input && !error) input.focus();
      }}
      onChange={(event) => setDraft({ ...draft, text: event.currentTarget.value })}
      onKeyDown={onKeyDown}
      onBlur={() => theirs === null && void save()}
    />
  );
  if (theirs === null) return field;
  return (
    <div>
      {field}
      <Text size="xs" role="alert" mt={4}>
        {theirs === '' ? 'Somebody else emptied it meanwhile.' : `Somebody else made it “${theirs}” meanwhile.`}
      </Text>
      <Group gap="xs" mt={4}>
        <Button size="compact-xs" onClick={() => void save()}>
          Use mine
        </Button>
        <Button size="compact-xs" variant="default" onClick={close}>
          Keep theirs
        </Button>
      </Group>
    </div>
  );
}

const textOf = (value: unknown) => (value === null || value === undefined ? '' : String(value));
