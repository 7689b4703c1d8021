import { TextInput } from '@mantine/core';
import { type KeyboardEvent, useRef, useState } from 'react';
import { messageOf } from '@/api/problem';
import classes from './ui.module.css';

interface InlineEditProps {
  label: string;
  value: string;
  placeholder?: string;
  /** Text shown while not editing, where it differs from what is edited. */
  display?: string;
  readOnly?: boolean;
  type?: 'text' | 'email' | 'tel';
  onSave: (value: string) => Promise<unknown>;
}

/** Click or Enter edits, Enter or leaving saves, Esc puts the old value back. What was typed stays when saving fails. */
export function InlineEdit(props: InlineEditProps) {
  const { label, value, placeholder = 'Add', display, readOnly, type = 'text', onSave } = props;
  const [draft, setDraft] = useState<string | null>(null);
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
        onClick={() => setDraft(value)}
      >
        {display || value || placeholder}
      </button>
    );
  }

  const close = () => {
    setDraft(null);
    setError(null);
  };
  const save = async () => {
    if (settling.current) return;
    const next = draft.trim();
    if (next === value) return close();
    settling.current = true;
    try {
      await onSave(next);
      close();
    } catch (failure) {
      setError(messageOf(failure));
    } finally {
      settling.current = false;
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') void save();
    if (event.key === 'Escape') close();
  };
  return (
    <TextInput
      size="xs"
      type={type}
      aria-label={label}
      value={draft}
      error={error}
      // Esc belongs to the field while it is edited, not to the panel around it.
      data-mantine-stop-propagation="true"
      ref={(input) => {
        if (input && document.activeElement !== input && !error) input.focus();
      }}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onKeyDown={onKeyDown}
      onBlur={() => void save()}
    />
  );
}
