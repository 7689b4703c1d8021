import { Select } from '@mantine/core';
import type { MessageTemplate, StepChannel } from '@/api/shapes';
import { channelLabel } from './draft';

interface TemplateSelectProps {
  label: string;
  channel: StepChannel;
  templates: MessageTemplate[];
  required: boolean;
  placeholder?: string;
  readOnly: boolean;
  value: string | null;
  fault: string | undefined;
  onChange: (id: string | null) => void;
}

/** A template for a channel. */
export function TemplateSelect({ label, channel, templates, placeholder, value, fault, ...rest }: TemplateSelectProps) {
  const { required, readOnly, onChange } = rest;
  const fitting = templates.filter((template) => template.channel === channel);
  const chosen = templates.find(({ id }) => id === value);
  const warning =
    chosen && chosen.approval !== 'approved'
      ? 'Not approved yet: this step is skipped until it is.'
      : value && !chosen
        ? 'This template was deleted.'
        : undefined;
  return (
    <Select
      label={label}
      required={required}
      clearable={!required}
      allowDeselect={!required}
      searchable
      readOnly={readOnly}
      placeholder={
        placeholder ?? (fitting.length > 0 ? 'Choose a template' : `No template for ${channelLabel(channel)}`)
      }
      nothingFoundMessage="No template has this name"
      data={fitting.map(({ id, name, approval }) => ({
        value: id,
        label: approval === 'approved' ? name : `${name} (${approval})`,
      }))}
      value={value}
      error={fault ?? warning}
      onChange={onChange}
    />
  );
}
