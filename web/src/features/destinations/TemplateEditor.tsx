import { Group, Select, Textarea } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useRef } from 'react';
import { messageOf } from '@/api/problem';
import type { TemplatePreset } from '@/api/shapes';
import { CodeBlock } from '@/ui/Copy';
import classes from './Destinations.module.css';
import { placeholdersQuery, presetsQuery, previewQuery } from './queries';

/** How long nothing is typed before the template is looked at. */
const PAUSE_MS = 300;

interface TemplateEditorProps {
  template: string;
  contentType: string;
  error?: ReactNode;
  onChange: (template: string) => void;
  onPreset: (preset: TemplatePreset) => void;
}

/** A template with what it would send beside it. */
export function TemplateEditor({ template, contentType, error, onChange, onPreset }: TemplateEditorProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const presets = useQuery(presetsQuery).data ?? [];
  const placeholders = useQuery(placeholdersQuery).data?.placeholders ?? [];
  const insert = (name: string | null) => {
    const at = field.current;
    if (!name || !at) return;
    onChange(withPlaceholder(template, at.selectionStart, at.selectionEnd, name));
    at.focus();
  };
  return (
    <div className={classes.template}>
      <Group grow align="flex-start">
        <Select
          label="Start from"
          placeholder="A product"
          value={null}
          data={presets.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(id) => {
            const preset = presets.find((one) => one.id === id);
            if (preset) onPreset(preset);
          }}
        />
        <Select
          label="Insert a value"
          placeholder="Search"
          searchable
          value={null}
          data={placeholders.map(({ name, says }) => ({ value: name, label: `${name}: ${says}` }))}
          onChange={insert}
        />
      </Group>
      <Textarea
        ref={field}
        label="Template"
        description="JSON with placeholders inside its strings, such as {{email}} or {{company | default:'unknown'}}. Keep tokens in the headers: those are stored encrypted, and nobody sees them again."
        classNames={{ input: classes.code }}
        autosize
        minRows={6}
        maxRows={18}
        spellCheck={false}
        value={template}
        error={error}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <Preview template={template} contentType={contentType} />
    </div>
  );
}

/** The text with a placeholder in place of what is selected. */
export function withPlaceholder(text: string, start: number, end: number, name: string): string {
  return `${text.slice(0, start)}{{${name}}}${text.slice(end)}`;
}

function Preview({ template, contentType }: { template: string; contentType: string }) {
  const [settled] = useDebouncedValue(template, PAUSE_MS);
  const preview = useQuery(previewQuery(settled, contentType));
  if (settled.trim() === '') return null;
  if (preview.isError) {
    return (
      <p className={classes.wrong} role="status">
        {messageOf(preview.error)}
      </p>
    );
  }
  if (!preview.data) return null;
  const { payload, leadName } = preview.data;
  return (
    <section aria-label="Preview">
      <p className={classes.dim}>{leadName ? `With your newest lead, ${leadName}:` : 'With a lead that nobody is:'}</p>
      <CodeBlock text={pretty(payload)} label="What would be sent" wrap />
    </section>
  );
}

/** JSON with line breaks; anything else as it is. */
export function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
