import {
  Alert,
  Button,
  Group,
  NumberInput,
  PasswordInput,
  Skeleton,
  Stack,
  Switch,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { useState } from 'react';
import { fieldErrors, messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { AnalysisSettings as Settings } from '@/api/shapes';
import { analysisLabel, fallbackWords } from '@/lib/analysis';
import { humanise } from '@/lib/text';
import { Failure, PermitButton, Section } from '@/ui/basics';
import { toast } from '@/ui/toast';
import { analysisQuery, settingsApi, useSettingsWrite } from './queries';
import classes from './Settings.module.css';

export function AnalysisSettings() {
  const settings = useQuery(analysisQuery);
  if (settings.isPending) return <Skeleton h={320} />;
  if (settings.isError) return <Failure error={settings.error} retry={() => void settings.refetch()} />;
  return (
    <Stack gap="lg">
      <AnalysisForm settings={settings.data} />
      <TryIt settings={settings.data} />
    </Stack>
  );
}

/** One topic on each line: `Solar: panel*, photovoltaic*`. */
const topicLines = (topics: Settings['topics']) =>
  topics.map(({ name, words }) => (words.length > 0 ? `${name}: ${words.join(', ')}` : name)).join('\n');

const readTopics = (lines: string) =>
  lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', words = ''] = line.split(/:(.*)/s);
      const list = words.split(',').map((word) => word.trim());
      return { name: name.trim(), words: list.filter((word) => word !== '') };
    });

function AnalysisForm({ settings }: { settings: Settings }) {
  const why = usePermits().why('settings:manage');
  const readOnly = why !== undefined;
  const { endpoint } = settings;
  const form = useForm({
    initialValues: {
      enabled: settings.enabled,
      keywords: settings.keywords,
      topics: topicLines(settings.topics),
      endpointEnabled: endpoint.enabled,
      baseUrl: endpoint.baseUrl ?? '',
      model: endpoint.model ?? '',
      key: '',
      redacts: endpoint.redacts,
      timeoutSeconds: endpoint.timeoutSeconds,
    },
  });
  const save = useSettingsWrite('analysis', settingsApi.saveAnalysis);
  useBlocker({
    shouldBlockFn: () => form.isDirty() && !window.confirm('Leave without saving the changes?'),
    enableBeforeUnload: () => form.isDirty(),
  });
  const submit = form.onSubmit(({ enabled, keywords, topics, endpointEnabled, baseUrl, model, key, ...rest }) =>
    save.mutate(
      {
        enabled,
        keywords,
        topics: readTopics(topics),
        endpoint: {
          ...rest,
          enabled: endpointEnabled,
          baseUrl: baseUrl.trim() || null,
          model: model.trim() || null,
          ...(key.trim() ? { key: key.trim() } : {}),
        },
      },
      {
        onSuccess: () => {
          form.setFieldValue('key', '');
          form.resetDirty({ ...form.getValues(), key: '' });
          toast('Saved');
        },
        onError: (error) => form.setErrors(fieldErrors(error)),
      },
    ),
  );
  const asks = form.values.endpointEnabled;
  return (
    <form onSubmit={submit} className={classes.form} noValidate>
      <Stack gap="md">
        {save.isError && <Alert color="red">{messageOf(save.error)}</Alert>}
        <Switch
          label="Analyse messages"
          description="Mood, intent, topic, keywords and a summary of what leads write. Made on this server unless an endpoint is on; an estimate, and sometimes wrong."
          disabled={readOnly}
          {...form.getInputProps('enabled', { type: 'checkbox' })}
        />
        <TagsInput
          label="Keywords"
          description="Shown on the lead when the message holds them. A star stands for the rest of a word: panel*."
          placeholder="Type one, then Enter"
          readOnly={readOnly}
          {...form.getInputProps('keywords')}
        />
        <Textarea
          label="Topics"
          description="One on each line with the words that speak for it, such as “Solar: panel*, photovoltaic*”. Empty for the built-in topics."
          autosize
          minRows={3}
          maxRows={14}
          readOnly={readOnly}
          {...form.getInputProps('topics')}
        />
        <Switch
          label="Ask an endpoint instead"
          description="Any service that speaks the OpenAI chat API. Where it fails, the estimate stands in its place."
          disabled={readOnly}
          {...form.getInputProps('endpointEnabled', { type: 'checkbox' })}
        />
        {asks && (
          <>
            <TextInput
              label="Base URL"
              description="What stands before /chat/completions. Another host needs the key anew."
              placeholder="https://api.example.com/v1"
              readOnly={readOnly}
              {...form.getInputProps('baseUrl')}
            />
            <TextInput label="Model" readOnly={readOnly} {...form.getInputProps('model')} />
            <PasswordInput
              label="Key"
              description={
                endpoint.hasKey
                  ? `One ending in ${endpoint.keyLast4 ?? ''} is stored. Leave empty to keep it.`
                  : 'Stored sealed, and never shown again.'
              }
              autoComplete="off"
              readOnly={readOnly}
              {...form.getInputProps('key')}
            />
            <NumberInput
              label="Time limit (seconds)"
              min={1}
              max={60}
              allowDecimal={false}
              readOnly={readOnly}
              {...form.getInputProps('timeoutSeconds')}
            />
            <Switch
              label="Take out names, e-mail addresses, phone numbers and links"
              description="Before a message leaves this server. Without it people's data go to the endpoint's operator."
              disabled={readOnly}
              {...form.getInputProps('redacts', { type: 'checkbox' })}
            />
          </>
        )}
        <div>
          <PermitButton type="submit" size="sm" why={why} loading={save.isPending}>
            Save
          </PermitButton>
        </div>
      </Stack>
    </form>
  );
}

/** What the settings, as saved, make of a text. */
function TryIt({ settings }: { settings: Settings }) {
  const why = usePermits().why('settings:manage');
  const [message, setMessage] = useState('');
  const attempt = useMutation({ mutationFn: settingsApi.tryAnalysis });
  const found = attempt.data;
  return (
    <Section title="Try it">
      <Stack gap="sm" className={classes.form}>
        <Textarea
          aria-label="A message to try"
          placeholder="Could you send me a quote for 25 licences?"
          autosize
          minRows={2}
          maxRows={10}
          value={message}
          onChange={(event) => setMessage(event.currentTarget.value)}
        />
        <Group>
          <PermitButton
            variant="default"
            why={why ?? (message.trim() === '' ? 'Write a message first.' : undefined)}
            loading={attempt.isPending}
            onClick={() => attempt.mutate(message)}
          >
            {settings.endpoint.enabled ? 'Ask the endpoint' : 'Analyse'}
          </PermitButton>
          {found && (
            <Button variant="subtle" onClick={() => attempt.reset()}>
              Clear
            </Button>
          )}
        </Group>
        {attempt.isError && <Alert color="red">{messageOf(attempt.error)}</Alert>}
        {found && (
          <div role="status">
            <Text size="sm">
              {humanise(found.sentiment.label)} · {humanise(found.intent.label)} · {humanise(found.topic.label)}
              {found.keywords.length > 0 && ` · ${found.keywords.join(', ')}`}
            </Text>
            <Text size="sm">{found.summary}</Text>
            <Text size="xs" c="dimmed">
              {analysisLabel(found)}. {found.fallback && fallbackWords(found.fallback)}
            </Text>
          </div>
        )}
      </Stack>
    </Section>
  );
}
