import {
  Alert,
  ColorInput,
  SegmentedControl,
  Skeleton,
  Stack,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useBlocker, useNavigate } from '@tanstack/react-router';
import { api } from '@/api/client';
import { fieldErrors, messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Widget } from '@/api/shapes';
import { Failure, PageBody, PageHead, PermitButton, Section } from '@/ui/basics';
import { CodeBlock } from '@/ui/Copy';
import { toast } from '@/ui/toast';
import { sourceKeys, useSourceWrite, widgetQuery } from './queries';
import { ProjectSelect, required } from './SourceDialogs';
import classes from './Sources.module.css';
import { WidgetPreview } from './WidgetPreview';

const route = getRouteApi('/shell/widgets/$widgetId');
const COLORS = ['#25d366', '#128c7e', '#1971c2', '#5f3dc4', '#c92a2a', '#212529'];

/** The settings of one WhatsApp widget, with what they come to; `new` makes one. */
export function WidgetPage() {
  const { widgetId } = route.useParams();
  if (widgetId === 'new') return <WidgetForm />;
  return <StoredWidget id={widgetId} />;
}

function StoredWidget({ id }: { id: string }) {
  const widget = useQuery(widgetQuery(id));
  if (widget.isPending) {
    return (
      <PageBody>
        <Skeleton h={480} />
      </PageBody>
    );
  }
  if (widget.isError) return <Failure error={widget.error} retry={() => void widget.refetch()} />;
  return <WidgetForm key={id} widget={widget.data} />;
}

function WidgetForm({ widget }: { widget?: Widget }) {
  const why = usePermits().why('sources:manage');
  const navigate = useNavigate();
  const form = useForm({
    initialValues: {
      name: widget?.name ?? '',
      projectId: widget?.projectId ?? '',
      phoneNumber: widget?.phoneNumber ?? '',
      nameField: widget?.nameField ?? true,
      color: widget?.color ?? '#25d366',
      position: widget?.position ?? 'right',
      greeting: widget?.greeting ?? 'How can we help?',
      defaultCountry: widget?.defaultCountry ?? '',
      consentText: widget?.consentText ?? '',
      allowedOrigins: widget?.allowedOrigins ?? [],
    },
    validate: {
      name: required,
      phoneNumber: (value) => (/\d/.test(value) ? null : 'Give the WhatsApp number of your business.'),
      color: (value) => (/^#[0-9a-f]{6}$/i.test(value) ? null : 'A colour such as #25d366.'),
      greeting: required,
    },
  });
  const save = useSourceWrite(sourceKeys.widgets, ({ projectId, ...values }: typeof form.values) => {
    const body = {
      ...values,
      ...(projectId ? { projectId } : {}),
      defaultCountry: values.defaultCountry.trim() || null,
      consentText: values.consentText.trim() || null,
    };
    return widget
      ? api.patch<Widget>(`/v1/capture/widgets/${widget.id}`, body)
      : api.post<Widget>('/v1/capture/widgets', body);
  });
  useBlocker({
    shouldBlockFn: () => form.isDirty() && !window.confirm('Leave without saving the changes?'),
    enableBeforeUnload: () => form.isDirty(),
  });
  const submit = form.onSubmit((values) =>
    save.mutate(values, {
      onSuccess: (saved) => {
        form.resetDirty();
        toast(widget ? `Saved ${saved.name}; websites show it within minutes` : `Made ${saved.name}; copy its line`);
        if (!widget) void navigate({ to: '/widgets/$widgetId', params: { widgetId: saved.id }, ignoreBlocker: true });
      },
      onError: (error) => form.setErrors(fieldErrors(error)),
    }),
  );
  const readOnly = why !== undefined;
  const { nameField, color, position, greeting, consentText, phoneNumber } = form.values;
  const drawnColor = /^#[0-9a-f]{6}$/i.test(color) ? color : '#25d366';
  return (
    <PageBody>
      <PageHead title={widget ? widget.name : 'New WhatsApp widget'} />
      <div className={classes.halves}>
        <form onSubmit={submit} noValidate>
          <Stack gap="sm">
            {save.isError && Object.keys(form.errors).length === 0 && (
              <Alert color="red">{messageOf(save.error)}</Alert>
            )}
            <TextInput label="Name" placeholder="Shop" readOnly={readOnly} {...form.getInputProps('name')} />
            <TextInput
              label="WhatsApp number"
              description="Of your business, with its country code. Visitors write to it."
              placeholder="+49 170 1234567"
              type="tel"
              readOnly={readOnly}
              {...form.getInputProps('phoneNumber')}
            />
            <TextInput label="Greeting" readOnly={readOnly} maxLength={300} {...form.getInputProps('greeting')} />
            <Switch
              label="Ask for the name"
              description="Without it people are called by their number."
              disabled={readOnly}
              {...form.getInputProps('nameField', { type: 'checkbox' })}
            />
            <ColorInput
              label="Colour"
              description="Words on it are black or white, whichever is easier to read."
              format="hex"
              swatches={COLORS}
              eyeDropperButtonProps={{ 'aria-label': 'Pick a colour from the screen' }}
              readOnly={readOnly}
              {...form.getInputProps('color')}
            />
            <div>
              <div className={classes.label} id="position-label">
                Position
              </div>
              <SegmentedControl
                aria-labelledby="position-label"
                data={[
                  { value: 'left', label: 'Left' },
                  { value: 'right', label: 'Right' },
                ]}
                readOnly={readOnly}
                {...form.getInputProps('position')}
              />
            </div>
            <Textarea
              label="Consent"
              description="What the visitor agrees to by sending. Empty: nothing is shown."
              autosize
              minRows={2}
              maxLength={300}
              readOnly={readOnly}
              {...form.getInputProps('consentText')}
            />
            <TextInput
              label="Country"
              description="For phone numbers without a country code. Empty: the workspace's own."
              placeholder="DE"
              maxLength={2}
              readOnly={readOnly}
              {...form.getInputProps('defaultCountry')}
            />
            <TagsInput
              label="Websites"
              description="Only these may use it. Empty: any."
              placeholder="https://www.example.com"
              readOnly={readOnly}
              {...form.getInputProps('allowedOrigins')}
            />
            <ProjectSelect isNew={!widget} readOnly={readOnly} {...form.getInputProps('projectId')} />
            <div>
              <PermitButton type="submit" why={why} loading={save.isPending}>
                {widget ? 'Save' : 'Make the widget'}
              </PermitButton>
            </div>
          </Stack>
        </form>
        <div>
          <Section title="Preview">
            <WidgetPreview
              settings={{
                id: widget?.id ?? 'new',
                phoneNumber,
                nameField,
                color: drawnColor,
                position,
                greeting,
                consentText: consentText || null,
              }}
            />
          </Section>
          {widget && (
            <Section title="Line for the website">
              <CodeBlock text={widget.snippet} label={`Script line of ${widget.name}`} wrap />
            </Section>
          )}
        </div>
      </div>
    </PageBody>
  );
}
