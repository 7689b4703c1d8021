export type Provider = 'sandbox' | 'whatsapp' | 'twilio' | 'sms_http' | 'smtp';

export const PROVIDERS: { kind: Provider; label: string; note: string }[] = [
  { kind: 'sandbox', label: 'Sandbox', note: 'A phone and a mailbox inside Leadline' },
  { kind: 'whatsapp', label: 'WhatsApp', note: 'The WhatsApp Cloud API of Meta' },
  { kind: 'twilio', label: 'Twilio', note: 'Text messages' },
  { kind: 'sms_http', label: 'SMS gateway', note: 'Text messages by any service that takes HTTP' },
  { kind: 'smtp', label: 'E-mail', note: 'Any mail server that speaks SMTP' },
];

export const providerWord = (kind: string): string => PROVIDERS.find((one) => one.kind === kind)?.label ?? kind;

interface FieldWords {
  label: string;
  note?: string;
  options?: Record<string, string>;
  lines?: boolean;
}

const FIELDS: Record<string, FieldWords> = {
  plays: {
    label: 'Plays',
    note: 'Numbers that end in 990001 to 990005, and addresses such as bounce@…, ask for the others by themselves',
    options: {
      deliver: 'Everything arrives',
      refuse: 'The provider refuses',
      bounce: 'It fails later',
      never: 'It is never delivered',
      late: 'It is delivered an hour late',
      break: 'The connection breaks',
    },
  },
  delaySeconds: { label: 'Seconds until it is delivered' },
  phoneNumberId: { label: 'Phone number ID', note: 'In Meta’s developer dashboard, under WhatsApp, API Setup' },
  apiUrl: { label: 'Address of the API' },
  accessToken: { label: 'Access token' },
  appSecret: { label: 'App secret', note: 'Proves that callbacks come from Meta' },
  verifyToken: { label: 'Verify token', note: 'Any text; give Meta the same beside the callback address' },
  accountSid: { label: 'Account SID' },
  authToken: { label: 'Auth token' },
  from: { label: 'From', note: 'A number, a sender’s name, or an address such as Shop <shop@example.com>' },
  url: { label: 'Address' },
  contentType: {
    label: 'Kind of body',
    options: { 'application/json': 'JSON', 'application/x-www-form-urlencoded': 'Form' },
  },
  body: { label: 'Body', note: 'With {{to}}, {{text}}, {{from}} and {{id}}', lines: true },
  idField: { label: 'Field of the answer with the message’s id', note: 'Such as result.id' },
  knowsIdempotencyKey: {
    label: 'Knows Idempotency-Key',
    note: 'If so, a message of which nobody knows is sent again under the same key',
    options: { no: 'No', yes: 'Yes' },
  },
  headers: { label: 'Headers', note: 'One a line: Authorization: Bearer …', lines: true },
  callbackToken: { label: 'Callback token', note: 'The gateway sends it as X-Callback-Token' },
  server: { label: 'Server', note: 'smtps://mail.example.com, or smtp://mail.example.com:587 for STARTTLS' },
  username: { label: 'User name' },
  password: { label: 'Password' },
  replyTo: { label: 'Address for answers', note: 'Where answers go, if not to the sender' },
  plusAddress: {
    label: 'Mark the address for answers',
    note: 'With the message behind a plus, for programs that forget what they answer. The server must take such addresses',
    options: { no: 'No', yes: 'Yes' },
  },
  imapServer: { label: 'Mailbox', note: 'Where answers arrive, read every half minute: imaps://mail.example.com' },
  imapUsername: { label: 'User name of the mailbox' },
  imapFolder: { label: 'Folder', note: 'INBOX, if nothing else is said' },
  imapMarksRead: {
    label: 'Mark mails as read',
    note: 'Nothing else in the mailbox is ever changed',
    options: { no: 'No', yes: 'Yes' },
  },
  imapPassword: { label: 'Password of the mailbox' },
  inboundToken: {
    label: 'Token for mails that are posted',
    note: 'Instead of a mailbox: whoever receives your mail posts it as it came, with this in X-Callback-Token',
  },
  businessAccountId: {
    label: 'WhatsApp business account ID',
    note: 'Needed to send templates to Meta for approval, and to hear how they stand',
  },
};

export const fieldWords = (name: string): FieldWords => FIELDS[name] ?? { label: name };
