import { Accordion, Alert, Button, Checkbox, Group, Modal, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { fieldErrors, messageOf, Problem } from '@/api/problem';
import type { Destination, TemplatePreset } from '@/api/shapes';
import { humanise } from '@/lib/text';
import { AccessFields } from './AccessFields';
import { ConversionFields } from './ConversionFields';
import { blankGoal, platformOf } from './conversions';
import classes from './Destinations.module.css';
import { FORMATS, formatOf } from './formats';
import { eventsQuery, useSaveDestination } from './queries';
import { HowFields, WhoFields } from './RuleFields';
import { TemplateEditor } from './TemplateEditor';
import { inputOf, parseHeaders, valuesOf } from './values';

interface DestinationDialogProps {
  opened: boolean;
  /** The one to edit; a new one when absent. */
  destination?: Destination;
  onClose: () => void;
  onSaved: (destination: Destination) => void;
}

export function DestinationDialog(props: DestinationDialogProps) {
  const { opened, destination, onClose } = props;
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={destination ? `Edit ${destination.name}` : 'New destination'}
      size="xl"
    >
      <DestinationForm {...props} />
    </Modal>
  );
}

const RETRY_PLANS = [
  { value: 'standard', label: 'Standard: three quick tries, then up to a day' },
  { value: 'fast', label: 'Fast: three quick tries only' },
  { value: 'none', label: 'None: one try' },
];

const linesOf = (headers: Record<string, string>) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');

/** Whether something keeps leads from it. */
function isRuled({ projectId, filter }: Destination): boolean {
  const { sources, tags, stageIds, minScore, maxSuspicion } = filter;
  const hasNames = [sources, tags, stageIds].some((names) => (names ?? []).length > 0);
  return projectId != null || hasNames || minScore != null || maxSuspicion != null;
}

/** What is wrong, by the field it is about, however deep that stands. */
function errorsOf(error: unknown): Record<string, string> {
  const nested = error instanceof Problem ? error.errors : [];
  const byPath = nested.map(({ pointer, message }) => [pointer.split('/').filter(Boolean).join('.'), message]);
  return { ...fieldErrors(error), ...Object.fromEntries(byPath) };
}

function DestinationForm({ destination, onClose, onSaved }: DestinationDialogProps) {
  const events = useQuery(eventsQuery);
  const save = useSaveDestination(destination?.id);
  const [hint, setHint] = useState<string | null>(null);
  const form = useForm({
    initialValues: valuesOf(destination),
    validate: {
      name: (value) => (value.trim() ? null : 'Give it a name.'),
      url: (value, { format, conversions }) => {
        if (!/^https?:\/\/.+/i.test(value.trim())) return 'Enter an address that begins with https://.';
        const isUnfilled = platformOf(format) && conversions.upload !== 'file' && /CUSTOMER-ID|PIXEL-ID/.test(value);
        return isUnfilled ? 'Put your own id in the place of the capitals.' : null;
      },
      events: (value, { format }) => (platformOf(format) || value.length > 0 ? null : 'Choose at least one event.'),
      headers: (value) => (parseHeaders(value) ? null : 'Write one "Name: value" a line.'),
      template: (value, { format }) => (format !== 'template' || value.trim() ? null : 'Write a template.'),
    },
  });
  const submit = form.onSubmit((values) => {
    const input = inputOf(values, destination);
    save.mutate(input, { onSuccess: onSaved, onError: (error) => form.setErrors(errorsOf(error)) });
  });
  const takePreset = ({ name, hint: says, url, template, contentType, method, headers }: TemplatePreset) => {
    form.setValues((values) => ({
      template,
      contentType,
      method,
      name: values.name || name,
      url: values.url || url,
      headers: values.headers || linesOf(headers),
    }));
    setHint(says);
  };
  const platform = platformOf(form.values.format);
  const takeFormat = (format: string | null) => {
    const chosen = platformOf(format ?? '');
    form.setValues(({ conversions, url = '', access }) => ({
      format: format ?? form.values.format,
      url: chosen && (url === '' || url === platform?.url) ? chosen.url : url,
      ...(chosen &&
        conversions &&
        conversions.goals.length === 0 && {
          conversions: { ...conversions, goals: [blankGoal(chosen.firstName)] },
        }),
      ...(format === 'google_ads' &&
        access &&
        !access.tokenUrl && {
          access: { ...access, usesOauth: true, tokenUrl: 'https://oauth2.googleapis.com/token' },
        }),
    }));
  };
  const kept = destination?.headerNames ?? [];
  const opened = destination && isRuled(destination) ? ['who'] : [];
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {save.isError && <Alert color="red">{messageOf(save.error)}</Alert>}
        <TextInput label="Name" placeholder="CRM" data-autofocus {...form.getInputProps('name')} />
        <TextInput
          label="URL"
          type="url"
          placeholder="https://example.com/hooks/leads"
          {...form.getInputProps('url')}
        />
        {!platform && (
          <Checkbox.Group label="Events" {...form.getInputProps('events')}>
            <div className={classes.events}>
              {(events.data ?? form.values.events).map((event) => (
                <Checkbox key={event} size="xs" value={event} label={humanise(event)} title={event} />
              ))}
            </div>
          </Checkbox.Group>
        )}
        <div className={classes.pair}>
          <Select
            label="Format"
            description={formatOf(form.values.format)?.says}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            allowDeselect={false}
            data={FORMATS.map(({ value, label }) => ({ value, label }))}
            {...form.getInputProps('format')}
            onChange={takeFormat}
          />
          <Select label="Retry plan" allowDeselect={false} data={RETRY_PLANS} {...form.getInputProps('retryPlan')} />
        </div>
        {platform && <ConversionFields form={form} platform={platform} hasToken={destination?.hasToken ?? false} />}
        {form.values.format === 'template' && (
          <>
            <TemplateEditor
              template={form.values.template}
              contentType={form.values.contentType}
              error={form.errors.template}
              onChange={(template) => form.setFieldValue('template', template)}
              onPreset={takePreset}
            />
            {hint && <Alert variant="light">{hint}</Alert>}
            <Select
              label="Sent as"
              allowDeselect={false}
              data={[
                { value: 'json', label: 'JSON' },
                { value: 'form', label: "A form's fields" },
              ]}
              {...form.getInputProps('contentType')}
            />
          </>
        )}
        <Textarea
          label="Headers"
          description={
            kept.length > 0
              ? `Set: ${kept.join(', ')}. Their values are not shown; what you write here replaces all of them.`
              : 'Sent with each delivery; one a line. Values are stored encrypted.'
          }
          placeholder="Authorization: Bearer …"
          autosize
          minRows={2}
          {...form.getInputProps('headers')}
        />
        <Accordion multiple variant="contained" chevronPosition="left" defaultValue={opened}>
          <Accordion.Item value="who">
            <Accordion.Control>Which leads</Accordion.Control>
            <Accordion.Panel>
              <WhoFields form={form} />
            </Accordion.Panel>
          </Accordion.Item>
          <Accordion.Item value="access">
            <Accordion.Control>Signing in</Accordion.Control>
            <Accordion.Panel>
              <AccessFields form={form} destination={destination} />
            </Accordion.Panel>
          </Accordion.Item>
          <Accordion.Item value="how">
            <Accordion.Control>How it is sent</Accordion.Control>
            <Accordion.Panel>
              <HowFields form={form} />
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {destination ? 'Save' : 'Add the destination'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
