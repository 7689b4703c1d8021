import { Checkbox, Group, PasswordInput, Select, Stack, Textarea, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { Destination } from '@/api/shapes';
import { GRANTS } from './access';
import classes from './Destinations.module.css';
import type { DestinationValues } from './values';

interface AccessFieldsProps {
  form: UseFormReturnType<DestinationValues>;
  destination: Destination | undefined;
}

/** How a destination knows that it is us: OAuth, and a certificate of ours. */
export function AccessFields({ form, destination }: AccessFieldsProps) {
  const { usesOauth, usesCertificate } = form.values.access;
  return (
    <Stack gap="sm">
      <Checkbox
        label="Get access tokens by OAuth 2"
        description="For Google Ads, Zoho, HubSpot apps, Salesforce and others whose tokens end after an hour."
        {...form.getInputProps('access.usesOauth', { type: 'checkbox' })}
      />
      {usesOauth && <OauthFields form={form} isKept={destination?.oauth != null} />}
      <Checkbox
        label="Show a certificate of ours (mutual TLS)"
        {...form.getInputProps('access.usesCertificate', { type: 'checkbox' })}
      />
      {usesCertificate && <CertificateFields form={form} sha256={destination?.clientCertificateSha256} />}
    </Stack>
  );
}

function OauthFields({ form, isKept }: { form: UseFormReturnType<DestinationValues>; isKept: boolean }) {
  const field = (name: string, server: string) => ({
    ...form.getInputProps(`access.${name}`),
    error: form.errors[`oauth.${server}`] ?? form.errors[`access.${name}`],
  });
  const secretSays = isKept ? 'One is kept; leave this empty to keep it.' : 'Stored encrypted and not shown again.';
  return (
    <Stack gap="sm" className={classes.indented}>
      <Group grow align="flex-start">
        <Select label="Signs in" allowDeselect={false} data={GRANTS} {...field('grant', 'grant')} />
        <TextInput label="Word before the token" placeholder="Bearer" {...field('scheme', 'scheme')} />
      </Group>
      <TextInput
        label="Token address"
        type="url"
        placeholder="https://oauth2.googleapis.com/token"
        {...field('tokenUrl', 'tokenUrl')}
      />
      <Group grow align="flex-start">
        <TextInput label="Client id" autoComplete="off" {...field('clientId', 'clientId')} />
        <PasswordInput
          label="Client secret"
          description={secretSays}
          autoComplete="off"
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          {...field('clientSecret', 'clientSecret')}
        />
      </Group>
      <Group grow align="flex-start">
        {form.values.access.grant === 'refresh_token' && (
          <PasswordInput
            label="Refresh token"
            description={secretSays}
            autoComplete="off"
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            {...field('refreshToken', 'refreshToken')}
          />
        )}
        <TextInput label="Scopes" placeholder="None" {...field('scopes', 'scopes')} />
      </Group>
    </Stack>
  );
}

interface CertificateFieldsProps {
  form: UseFormReturnType<DestinationValues>;
  sha256: string | null | undefined;
}

function CertificateFields({ form, sha256 }: CertificateFieldsProps) {
  const { errors } = form;
  return (
    <Stack gap="sm" className={classes.indented}>
      {sha256 && (
        <p className={classes.dim}>One is kept: SHA-256 {sha256.slice(0, 16)}… Leave these empty to keep it.</p>
      )}
      <Textarea
        label="Certificate"
        description="As PEM, with its chain if it has one."
        placeholder="-----BEGIN CERTIFICATE-----"
        minRows={2}
        maxRows={6}
        autosize
        classNames={{ input: classes.code }}
        {...form.getInputProps('access.certificate')}
        error={errors['clientCertificate.certificate']}
      />
      <Textarea
        label="Private key"
        description="As PEM, without a password. Stored encrypted and not shown again."
        placeholder="-----BEGIN PRIVATE KEY-----"
        minRows={2}
        maxRows={6}
        autosize
        classNames={{ input: classes.code }}
        {...form.getInputProps('access.certificateKey')}
        error={errors['clientCertificate.key']}
      />
    </Stack>
  );
}
