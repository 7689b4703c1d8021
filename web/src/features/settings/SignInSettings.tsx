import {
  Alert,
  Button,
  Group,
  PasswordInput,
  Select,
  Skeleton,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { useState } from 'react';
import { fieldErrors, messageOf } from '@/api/problem';
import { useSession } from '@/api/session';
import type { SignInProvider } from '@/api/shapes';
import { Failure, PermitButton, Section, State, Time } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { CodeBlock } from '@/ui/Copy';
import { toast } from '@/ui/toast';
import { useSettingsWrite } from './queries';
import { useRoleOptions } from './roleOptions';
import classes from './Settings.module.css';
import { signInProviderApi, signInProviderQuery } from './signInQueries';

/** The provider with which people of the workspace sign in. */
export function SignInSettings() {
  const settings = useQuery(signInProviderQuery);
  if (settings.isPending) return <Skeleton h={420} />;
  if (settings.isError) return <Failure error={settings.error} retry={() => void settings.refetch()} />;
  return (
    <Stack gap="lg">
      <Told settings={settings.data} />
      <ProviderForm key={settings.data.provider ? 'there' : 'new'} settings={settings.data} />
    </Stack>
  );
}

/** What the provider has to know of us, and people of the page. */
function Told({ settings }: { settings: SignInProvider }) {
  const { provider, redirectUrl, signInUrl } = settings;
  return (
    <Section title="Sign in with your own provider">
      <Stack gap="sm" className={classes.form}>
        <Text size="sm">
          People sign in with the account of your organisation: any provider that speaks OpenID Connect. Register
          Leadline there as a web application with this redirect address, and enter what it gives you below.
        </Text>
        <CodeBlock text={redirectUrl} label="Redirect address" wrap />
        {provider && (
          <>
            <State color={provider.isEnabled ? 'green' : 'gray'}>
              {!provider.isEnabled && 'Off'}
              {provider.isEnabled && !provider.lastUsedAt && 'On; nobody has signed in with it yet'}
              {provider.isEnabled && provider.lastUsedAt && (
                <>
                  On; last used <Time at={provider.lastUsedAt} />
                </>
              )}
            </State>
            <Text size="sm">The page on which your people sign in:</Text>
            <CodeBlock text={signInUrl} label="Sign-in page" wrap />
          </>
        )}
      </Stack>
    </Section>
  );
}

const INVITED = 'invited';

function ProviderForm({ settings }: { settings: SignInProvider }) {
  const { provider } = settings;
  const session = useSession();
  const why = session.role === 'super_admin' ? undefined : 'Only a super admin sets up the sign-in provider.';
  const readOnly = why !== undefined;
  const roles = useRoleOptions().filter((role) => role.value !== 'super_admin');
  const form = useForm({
    initialValues: {
      label: provider?.label ?? '',
      issuer: provider?.issuer ?? '',
      clientId: provider?.clientId ?? '',
      clientSecret: '',
      domains: provider?.domains ?? [],
      role: provider?.role ?? INVITED,
      takesPasswords: provider?.takesPasswords ?? true,
      isEnabled: provider?.isEnabled ?? true,
    },
  });
  const save = useSettingsWrite('sign-in', signInProviderApi.save);
  useBlocker({
    shouldBlockFn: () => form.isDirty() && !window.confirm('Leave without saving the changes?'),
    enableBeforeUnload: () => form.isDirty(),
  });
  const submit = form.onSubmit(({ role, clientSecret, ...rest }) =>
    save.mutate(
      {
        ...rest,
        role: role === INVITED ? null : role,
        clientSecret: clientSecret.trim() || null,
      },
      {
        onSuccess: () => {
          form.setFieldValue('clientSecret', '');
          form.resetDirty({ ...form.getValues(), clientSecret: '' });
          toast('Saved');
        },
        onError: (error) => form.setErrors(fieldErrors(error)),
      },
    ),
  );
  return (
    <form onSubmit={submit} className={classes.form} noValidate>
      <Stack gap="md">
        {readOnly && (
          <Alert color="gray">
            Only a super admin changes this: whoever runs the provider can become anybody in the workspace.
          </Alert>
        )}
        {save.isError && Object.keys(form.errors).length === 0 && <Alert color="red">{messageOf(save.error)}</Alert>}
        <TextInput
          label="Name"
          description="What the button says: “Sign in with …”."
          placeholder="Example ID"
          readOnly={readOnly}
          {...form.getInputProps('label')}
        />
        <TextInput
          label="Issuer"
          description="Exactly as the provider writes it, with or without a slash at the end."
          placeholder="https://id.example.com"
          readOnly={readOnly}
          {...form.getInputProps('issuer')}
        />
        <Check issuer={form.values.issuer} why={why} />
        <TextInput label="Client ID" readOnly={readOnly} {...form.getInputProps('clientId')} />
        <PasswordInput
          label="Client secret"
          description={
            provider
              ? 'One is stored. Leave empty to keep it; another issuer needs another.'
              : 'Stored sealed, and never shown again.'
          }
          autoComplete="off"
          readOnly={readOnly}
          {...form.getInputProps('clientSecret')}
        />
        <TagsInput
          label="Domains of e-mail addresses"
          description="Only addresses at exactly these are taken, and only if the provider says that they are verified."
          placeholder="example.com, then Enter"
          readOnly={readOnly}
          {...form.getInputProps('domains')}
        />
        <Select
          label="Who may come in"
          description="Members always may, and whoever was invited, with the role of their invitation."
          allowDeselect={false}
          readOnly={readOnly}
          data={[
            { group: 'By invitation', items: [{ value: INVITED, label: 'Only who was invited' }] },
            {
              group: 'Everybody at the domains, as',
              items: roles,
            },
          ]}
          {...form.getInputProps('role')}
        />
        <Switch
          label="Show it on the sign-in page"
          description="Switched off, the sessions that it opened end."
          disabled={readOnly}
          {...form.getInputProps('isEnabled', { type: 'checkbox' })}
        />
        <Switch
          label="Passwords may be used as well"
          description="Can be switched off once somebody has signed in with the provider. Super admins keep their passwords, so that nobody is locked out while it is down."
          disabled={readOnly}
          {...form.getInputProps('takesPasswords', { type: 'checkbox' })}
        />
        <Group>
          <PermitButton type="submit" size="sm" why={why} loading={save.isPending}>
            Save
          </PermitButton>
          {provider && <Remove why={why} />}
        </Group>
      </Stack>
    </form>
  );
}

/** What the provider says of itself, before anything is saved. */
function Check({ issuer, why }: { issuer: string; why: string | undefined }) {
  const check = useMutation({ mutationFn: signInProviderApi.check });
  const found = check.data;
  return (
    <Stack gap={6}>
      <Group>
        <PermitButton
          variant="default"
          why={why ?? (issuer.trim() === '' ? 'Enter the issuer first.' : undefined)}
          loading={check.isPending}
          onClick={() => check.mutate(issuer.trim())}
        >
          Check the provider
        </PermitButton>
      </Group>
      <div role="status">
        {check.isError && <Alert color="red">{messageOf(check.error)}</Alert>}
        {found && !found.isUsable && <Alert color="red">It cannot be used: {found.problem}.</Alert>}
        {found?.isUsable && (
          <Alert color="green">
            It can be used. It has people sign in at {found.authorizationEndpoint}, publishes {found.keyCount}{' '}
            {found.keyCount === 1 ? 'key' : 'keys'} and signs with {found.algorithms.join(', ')}.
          </Alert>
        )}
      </div>
    </Stack>
  );
}

function Remove({ why }: { why: string | undefined }) {
  const [asking, setAsking] = useState(false);
  const remove = useSettingsWrite('sign-in', signInProviderApi.remove);
  return (
    <>
      <Button variant="subtle" color="red" size="sm" disabled={why !== undefined} onClick={() => setAsking(true)}>
        Remove the provider
      </Button>
      <Confirm
        opened={asking}
        title="Remove the sign-in provider?"
        verb="Remove"
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutateAsync(undefined)}
      >
        The sessions that it opened end. Whoever has no password cannot sign in until an administrator gives them one.
      </Confirm>
    </>
  );
}
