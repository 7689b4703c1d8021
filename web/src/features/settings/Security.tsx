import { Alert, Button, Group, Modal, PasswordInput, Skeleton, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { fieldErrors, messageOf } from '@/api/problem';
import { useSession } from '@/api/session';
import { plural } from '@/lib/text';
import { Failure, Section, State, Time } from '@/ui/basics';
import { SecondFactorSetup, StoreCodes } from '@/ui/SecondFactorSetup';
import { toast } from '@/ui/toast';
import { secondFactorQuery, settingsApi, useSettingsWrite } from './queries';
import { Sessions } from './Sessions';

export function Security() {
  return (
    <Stack gap="md">
      <SecondFactor />
      <Sessions />
    </Stack>
  );
}

type Doing = 'set-up' | 'remove' | 'renew' | null;

function SecondFactor() {
  const factor = useQuery(secondFactorQuery);
  const session = useSession();
  const done = useSettingsWrite('second-factor', async () => undefined);
  const [doing, setDoing] = useState<Doing>(null);
  const close = () => setDoing(null);
  if (factor.isPending) return <Skeleton h={120} />;
  if (factor.isError) return <Failure error={factor.error} retry={() => void factor.refetch()} />;
  const { confirmedAt, recoveryCodesLeft } = factor.data;
  return (
    <Section
      title="Second factor"
      actions={
        confirmedAt && !session.hasPassword ? null : confirmedAt ? (
          <Group gap="xs">
            <Button variant="default" onClick={() => setDoing('renew')}>
              New recovery codes
            </Button>
            {!session.needsSecondFactor && (
              <Button variant="default" onClick={() => setDoing('remove')}>
                Remove
              </Button>
            )}
          </Group>
        ) : (
          <Button onClick={() => setDoing('set-up')}>Set it up</Button>
        )
      }
    >
      {confirmedAt ? (
        <Stack gap={4}>
          <State color="green">
            On since <Time at={confirmedAt} />
          </State>
          <Text size="sm" c={recoveryCodesLeft < 3 ? 'var(--bad-text)' : 'dimmed'}>
            {plural(recoveryCodesLeft, 'recovery code')} left.
          </Text>
          {!session.hasPassword && (
            <Text size="sm" c="dimmed">
              You sign in with a provider and have no password to confirm a change by. An administrator can reset it.
            </Text>
          )}
        </Stack>
      ) : (
        <Text size="sm">
          With one, signing in takes your password and a code from an app on your phone. A stolen password is then worth
          nothing by itself.
        </Text>
      )}
      <Modal
        opened={doing === 'set-up'}
        onClose={close}
        title="Set up a second factor"
        size="sm"
        closeOnClickOutside={false}
      >
        <SecondFactorSetup
          onDone={() => {
            close();
            done.mutate(undefined);
            toast('Your second factor is on; your other sessions have ended');
          }}
          cancel={
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
          }
        />
      </Modal>
      <Modal opened={doing === 'remove'} onClose={close} title="Remove the second factor" size="sm">
        <RemoveForm onClose={close} />
      </Modal>
      <Modal
        opened={doing === 'renew'}
        onClose={close}
        title="New recovery codes"
        size="sm"
        closeOnClickOutside={false}
      >
        <RenewForm onClose={close} />
      </Modal>
    </Section>
  );
}

function usePasswordForm() {
  return useForm({
    initialValues: { password: '' },
    validate: { password: (value) => (value ? null : 'Enter your password.') },
  });
}

function RemoveForm({ onClose }: { onClose: () => void }) {
  const form = usePasswordForm();
  const remove = useSettingsWrite('second-factor', settingsApi.removeSecondFactor);
  const submit = form.onSubmit(({ password }) =>
    remove.mutate(password, {
      onSuccess: () => {
        onClose();
        toast('Your second factor is off');
      },
      onError: (error) => form.setErrors(fieldErrors(error)),
    }),
  );
  return (
    <PasswordForm form={form} submit={submit} write={remove} verb="Remove it" onClose={onClose}>
      Your password alone signs you in then.
    </PasswordForm>
  );
}

function RenewForm({ onClose }: { onClose: () => void }) {
  const form = usePasswordForm();
  const renew = useSettingsWrite('second-factor', settingsApi.renewRecoveryCodes);
  const submit = form.onSubmit(({ password }) =>
    renew.mutate(password, { onError: (error) => form.setErrors(fieldErrors(error)) }),
  );
  if (renew.data) return <StoreCodes codes={renew.data.recoveryCodes} onStored={onClose} />;
  return (
    <PasswordForm form={form} submit={submit} write={renew} verb="Make them" onClose={onClose}>
      Those from before do not work any more then.
    </PasswordForm>
  );
}

interface PasswordFormProps {
  form: ReturnType<typeof usePasswordForm>;
  submit: React.FormEventHandler<HTMLFormElement>;
  write: { isPending: boolean; isError: boolean; error: unknown };
  verb: string;
  onClose: () => void;
  children: string;
}

function PasswordForm({ form, submit, write, verb, onClose, children }: PasswordFormProps) {
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        <Text size="sm">{children}</Text>
        {write.isError && Object.keys(form.errors).length === 0 && <Alert color="red">{messageOf(write.error)}</Alert>}
        <PasswordInput
          label="Your password"
          autoComplete="current-password"
          data-autofocus
          {...form.getInputProps('password')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={write.isPending}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
