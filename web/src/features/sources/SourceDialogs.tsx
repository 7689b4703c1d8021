import { Alert, Button, Group, Modal, Select, type SelectProps, Stack, TagsInput, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import type { FormEvent, ReactNode } from 'react';
import { api } from '@/api/client';
import { projectsQuery } from '@/api/lookups';
import { fieldErrors, messageOf } from '@/api/problem';
import type { Form, Site } from '@/api/shapes';
import { toast } from '@/ui/toast';
import { sourceKeys, useSourceWrite } from './queries';

export interface DialogProps<Source> {
  opened: boolean;
  /** The one to edit; a new one when absent. */
  source?: Source;
  onClose: () => void;
}

export type FieldsProps<Source> = Omit<DialogProps<Source>, 'opened'>;

export const required = (value: string) => (value.trim() ? null : 'Give it a name.');

/** Only a new source may leave its project open. */
export function ProjectSelect({ isNew, ...props }: { isNew: boolean } & SelectProps) {
  const projects = useQuery(projectsQuery).data ?? [];
  return (
    <Select
      label="Project"
      placeholder="The default project"
      clearable={isNew}
      allowDeselect={isNew}
      data={projects.map(({ id, name }) => ({ value: id, label: name }))}
      {...props}
    />
  );
}

interface FrameProps {
  error: unknown;
  hasFieldErrors: boolean;
  pending: boolean;
  verb: string;
  onClose: () => void;
  onSubmit: (event: FormEvent<HTMLFormElement>) => void;
  children: ReactNode;
}

export function Frame({ error, hasFieldErrors, pending, verb, onClose, onSubmit, children }: FrameProps) {
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap="sm">
        {error !== null && !hasFieldErrors && <Alert color="red">{messageOf(error)}</Alert>}
        {children}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={pending}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export const titleOf = (source: { name: string } | undefined, fresh: string) =>
  source ? `Edit ${source.name}` : fresh;

export function FormDialog({ opened, source, onClose }: DialogProps<Form>) {
  return (
    <Modal opened={opened} onClose={onClose} title={titleOf(source, 'New form')}>
      <FormFields source={source} onClose={onClose} />
    </Modal>
  );
}

function FormFields({ source, onClose }: FieldsProps<Form>) {
  const form = useForm({
    initialValues: {
      name: source?.name ?? '',
      projectId: source?.projectId ?? '',
      thankYouUrl: source?.thankYouUrl ?? '',
      redirectStatus: String(source?.redirectStatus ?? 301),
      allowedOrigins: source?.allowedOrigins ?? [],
    },
    validate: { name: required },
  });
  const save = useSourceWrite(sourceKeys.forms, (values: typeof form.values) => {
    const thankYouUrl = values.thankYouUrl.trim();
    const body = {
      name: values.name.trim(),
      allowedOrigins: values.allowedOrigins,
      ...(values.projectId ? { projectId: values.projectId } : {}),
      ...(thankYouUrl ? { thankYouUrl, redirectStatus: Number(values.redirectStatus) } : {}),
    };
    return source
      ? api.patch<Form>(`/v1/capture/forms/${source.id}`, { ...body, thankYouUrl: thankYouUrl || null })
      : api.post<Form>('/v1/capture/forms', body);
  });
  const submit = form.onSubmit((values) =>
    save.mutate(values, {
      onSuccess: ({ name }) => {
        toast(source ? `Saved ${name}` : `Made ${name}; paste its lines into your website`);
        onClose();
      },
      onError: (error) => form.setErrors(fieldErrors(error)),
    }),
  );
  return (
    <Frame
      error={save.error}
      hasFieldErrors={Object.keys(form.errors).length > 0}
      pending={save.isPending}
      verb={source ? 'Save' : 'Make the form'}
      onClose={onClose}
      onSubmit={submit}
    >
      <TextInput label="Name" placeholder="Contact form" data-autofocus {...form.getInputProps('name')} />
      <ProjectSelect isNew={!source} {...form.getInputProps('projectId')} />
      <TextInput
        label="Thank-you page"
        description="Where a browser goes after sending. Empty: a plain page of Leadline."
        placeholder="https://example.com/thanks"
        {...form.getInputProps('thankYouUrl')}
      />
      {form.values.thankYouUrl !== '' && (
        <Select
          label="Redirect"
          allowDeselect={false}
          data={[
            { value: '301', label: '301, the usual' },
            { value: '303', label: '303, see other' },
          ]}
          {...form.getInputProps('redirectStatus')}
        />
      )}
      <TagsInput
        label="Allowed origins"
        description="The websites that may post to it, each with https://; empty allows any."
        placeholder="https://example.com"
        size="sm"
        {...form.getInputProps('allowedOrigins')}
      />
    </Frame>
  );
}

export function SiteDialog({ opened, source, onClose }: DialogProps<Site>) {
  return (
    <Modal opened={opened} onClose={onClose} title={titleOf(source, 'New site')}>
      <SiteFields source={source} onClose={onClose} />
    </Modal>
  );
}

function SiteFields({ source, onClose }: FieldsProps<Site>) {
  const form = useForm({
    initialValues: { name: source?.name ?? '', allowedOrigins: source?.allowedOrigins ?? [] },
    validate: { name: required },
  });
  const save = useSourceWrite(sourceKeys.sites, (values: typeof form.values) => {
    const body = { ...values, name: values.name.trim() };
    return source ? api.patch<Site>(`/v1/capture/sites/${source.id}`, body) : api.post<Site>('/v1/capture/sites', body);
  });
  const submit = form.onSubmit((values) =>
    save.mutate(values, {
      onSuccess: ({ name }) => {
        toast(source ? `Saved ${name}` : `Made ${name}; paste its line into your pages`);
        onClose();
      },
      onError: (error) => form.setErrors(fieldErrors(error)),
    }),
  );
  return (
    <Frame
      error={save.error}
      hasFieldErrors={Object.keys(form.errors).length > 0}
      pending={save.isPending}
      verb={source ? 'Save' : 'Make the site'}
      onClose={onClose}
      onSubmit={submit}
    >
      <TextInput label="Name" placeholder="example.com" data-autofocus {...form.getInputProps('name')} />
      <TagsInput
        label="Allowed origins"
        description="Each with https://; empty allows any."
        placeholder="https://example.com"
        size="sm"
        {...form.getInputProps('allowedOrigins')}
      />
    </Frame>
  );
}
