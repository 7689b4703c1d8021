import { Alert, Code, Group, Skeleton, Stack, Switch, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { usePermits, useSession } from '@/api/session';
import type { AlertMails as Mails } from '@/api/shapes';
import { Failure, PermitButton, Section, State, Time } from '@/ui/basics';
import { toast } from '@/ui/toast';
import { alertMailsQuery, settingsApi, useSettingsWrite } from './queries';

const STATES: Record<string, { color: string; label: string }> = {
  sent: { color: 'green', label: 'Sent' },
  pending: { color: 'yellow', label: 'Tried, and will be again' },
  failed: { color: 'red', label: 'Given up' },
};

/** Whether alerts come by e-mail, and whether e-mail works. */
export function AlertMails() {
  const mails = useQuery(alertMailsQuery);
  if (mails.isPending) return <Skeleton h={240} />;
  if (mails.isError) return <Failure error={mails.error} retry={() => void mails.refetch()} />;
  return (
    <Stack gap="md">
      <Wanted mails={mails.data} />
      {mails.data.isConfigured && <Server mails={mails.data} />}
    </Stack>
  );
}

function Wanted({ mails }: { mails: Mails }) {
  const email = useSession().user.email;
  const save = useSettingsWrite('alert-mails', settingsApi.saveAlertMails, 'The choice was not saved');
  return (
    <Section title="Alerts by e-mail">
      <Stack gap="sm">
        {!mails.isConfigured && (
          <Alert role="note" color="yellow" title="No mail server is set up">
            Alerts are shown under the bell. For them to come by e-mail as well, whoever runs Leadline sets{' '}
            <Code>LEADLINE_SMTP_URL</Code> and <Code>LEADLINE_MAIL_FROM</Code> and starts it again.
          </Alert>
        )}
        {mails.wanted != null && (
          <Switch
            label={`E-mail me at ${email}`}
            description="When nothing gets through to a destination, a source falls silent, or the ledger does not add up; and when it is over."
            checked={save.isPending ? save.variables : mails.wanted}
            disabled={save.isPending}
            onChange={(event) =>
              save.mutate(event.currentTarget.checked, {
                onSuccess: ({ wanted }) => toast(wanted ? 'You get alerts by e-mail' : 'You get no more e-mail'),
              })
            }
          />
        )}
      </Stack>
    </Section>
  );
}

function Server({ mails }: { mails: Mails }) {
  const why = usePermits().why('settings:manage');
  const test = useSettingsWrite('alert-mails', settingsApi.testAlertMails, 'No message was sent');
  const last = mails.last && (STATES[mails.last.state] ?? { color: 'gray', label: mails.last.state });
  return (
    <Section title="Mail server">
      <Stack gap="sm">
        <Text size="sm">
          Messages come from <b>{mails.from}</b> by <b>{mails.server}</b>
          {mails.waiting > 0 && `; ${mails.waiting} wait`}.
        </Text>
        {last && mails.last && (
          <Group gap="xs">
            <State color={last.color}>{last.label}</State>
            <Text size="sm">
              the newest, of <Time at={mails.last.createdAt} />
            </Text>
          </Group>
        )}
        {mails.last?.error && <Text size="sm">{mails.last.error}</Text>}
        <PermitButton
          why={why}
          variant="default"
          style={{ alignSelf: 'flex-start' }}
          loading={test.isPending}
          onClick={() => test.mutate(undefined)}
        >
          Send me a test
        </PermitButton>
        {test.data && (
          <Alert color={test.data.taken ? 'green' : 'red'} role="status">
            {test.data.taken
              ? `The server has taken a message to ${test.data.to}, in ${test.data.durationMs} ms.`
              : `The server did not take it: ${test.data.error}`}
          </Alert>
        )}
      </Stack>
    </Section>
  );
}
