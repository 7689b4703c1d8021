import { PasswordInput, Select, TagsInput, Text, TextInput } from '@mantine/core';
import type { InboundWebhook } from '@/api/shapes';
import classes from './Sources.module.css';

export const FORMATS = [
  { value: 'auto', label: 'Recognise it by itself' },
  { value: 'generic', label: 'Fields as they stand' },
  { value: 'calendly', label: 'Calendly' },
  { value: 'elementor', label: 'Elementor' },
  { value: 'facebook', label: 'Facebook Lead Ads' },
  { value: 'google', label: 'Google lead form' },
  { value: 'gravity', label: 'Gravity Forms' },
  { value: 'hubspot', label: 'HubSpot' },
  { value: 'jotform', label: 'Jotform' },
  { value: 'tally', label: 'Tally' },
  { value: 'typeform', label: 'Typeform' },
  { value: 'unbounce', label: 'Unbounce' },
  { value: 'webflow', label: 'Webflow' },
  { value: 'whatconverts', label: 'WhatConverts' },
];

export interface Reception {
  format: string;
  proof: string;
  secret: string;
  secretHeader: string;
  verifyToken: string;
  accessToken: string;
  allowedOrigins: string[];
}

/** What a form begins with. Secrets are never told again, so their fields begin empty. */
export const receptionOf = (source?: InboundWebhook): Reception => ({
  format: source?.format ?? 'auto',
  proof: source?.proof ?? 'none',
  secret: '',
  secretHeader: source?.secretHeader ?? 'x-webhook-secret',
  verifyToken: '',
  accessToken: '',
  allowedOrigins: source?.allowedOrigins ?? [],
});

/** What is sent of it; a secret that was left empty stays as it is. */
export function receptionBody({ secret, verifyToken, accessToken, ...rest }: Reception) {
  const secrets = Object.entries({ secret, verifyToken, accessToken }).filter(([, value]) => value.trim() !== '');
  const { format, proof, secretHeader, allowedOrigins } = rest;
  return { format, proof, secretHeader, allowedOrigins, ...Object.fromEntries(secrets) };
}

interface SecretWords {
  label: string;
  description: string;
}

/** What the one secret of a source is, in the words of whoever it is shared with. */
export function secretWords(format: string, proof: string): SecretWords {
  if (proof === 'header') return { label: 'Secret', description: 'What the header must hold.' };
  if (format === 'facebook') return { label: 'App secret', description: 'In your app at Meta: Settings, Basic.' };
  if (format === 'google')
    return { label: 'Key', description: 'The same as in the webhook settings of the lead form.' };
  return { label: 'Signing secret', description: 'The sender signs each request with it.' };
}

interface Props {
  source?: InboundWebhook;
  values: Reception;
  inputProps: (name: keyof Reception) => object;
}

export function ReceptionFields({ source, values: { format, proof }, inputProps }: Props) {
  const isFacebook = format === 'facebook';
  const kept = (has: boolean | undefined) => (has ? 'Set; leave empty to keep it' : undefined);
  return (
    <>
      <Select
        label="Sender"
        description="Each request is looked at; choose one only where it is taken for another."
        allowDeselect={false}
        searchable
        data={FORMATS}
        {...inputProps('format')}
      />
      {isFacebook && <FacebookSteps url={source?.url} />}
      <Select
        label="Proof of the sender"
        description="The address alone is enough to send leads. Demand more where the sender can give it."
        allowDeselect={false}
        data={[
          { value: 'none', label: 'None but the address' },
          { value: 'signature', label: format === 'google' ? 'Its key in the body' : 'A signature' },
          { value: 'header', label: 'A secret in a header' },
        ]}
        {...inputProps('proof')}
      />
      {proof === 'header' && <TextInput label="Header" {...inputProps('secretHeader')} />}
      {(proof !== 'none' || isFacebook) && (
        <PasswordInput
          {...secretWords(format, proof)}
          autoComplete="off"
          placeholder={kept(source?.hasSecret)}
          {...inputProps('secret')}
        />
      )}
      {isFacebook && (
        <>
          <PasswordInput
            label="Verify token"
            description="Any words of yours; Facebook sends them back once, to make sure of the address."
            autoComplete="off"
            placeholder={kept(source?.hasVerifyToken)}
            {...inputProps('verifyToken')}
          />
          <PasswordInput
            label="Page access token"
            description="With it the leads themselves are fetched. One that does not expire saves you work."
            autoComplete="off"
            placeholder={kept(source?.hasAccessToken)}
            {...inputProps('accessToken')}
          />
        </>
      )}
      <TagsInput
        label="Allowed origins"
        description="Only for browsers that send straight to this address; empty allows any."
        placeholder="https://example.com"
        size="sm"
        {...inputProps('allowedOrigins')}
      />
    </>
  );
}

/** How to connect Facebook Lead Ads, in the order in which its own pages ask for it. */
function FacebookSteps({ url }: { url?: string }) {
  return (
    <div>
      <Text size="sm">Facebook only says that there is a lead; Leadline then fetches it. To connect the two:</Text>
      <ol className={classes.steps}>
        <li>Choose any verify token below, and save this webhook{url ? '' : ' to get its address'}.</li>
        <li>
          At developers.facebook.com open your app, add Webhooks, choose Page, and give it the address
          {url ? ` ${url}` : ''} and the same verify token.
        </li>
        <li>Subscribe to the field leadgen, and install the app on your page.</li>
        <li>Copy the app secret into the field below, and demand a signature.</li>
        <li>Make a page access token with the permission leads_retrieval, and put it below.</li>
        <li>Send a test lead with Facebook's Lead Ads testing tool; it appears under Requests.</li>
      </ol>
    </div>
  );
}
