import { ActionIcon, Button, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { api } from '@/api/client';
import type { Form, InboundWebhook, Site } from '@/api/shapes';
import { plural } from '@/lib/text';
import { State, Time } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { CodeBlock, CopyButton } from '@/ui/Copy';
import { RouteLink } from '@/ui/RouteLink';
import { toast } from '@/ui/toast';
import { sourceKeys, useDeleteSource, useSourceWrite } from './queries';
import { FORMATS } from './Reception';
import { FormDialog, SiteDialog } from './SourceDialogs';
import classes from './Sources.module.css';
import { Silence, WatchDialog } from './WatchDialog';
import { WebhookDialog } from './WebhookDialog';

interface Receiving {
  receivedCount: number;
  lastReceivedAt?: string | null;
}

export function Received({ receivedCount, lastReceivedAt }: Receiving) {
  if (receivedCount === 0) return <State color="amber">Waiting for the first lead</State>;
  return (
    <State color="green">
      {plural(receivedCount, 'submission')}
      {lastReceivedAt && (
        <span className={classes.meta}>
          last <Time at={lastReceivedAt} />
        </span>
      )}
    </State>
  );
}

export function FormCard({ form, why }: { form: Form; why?: string }) {
  const remove = useDeleteSource(sourceKeys.forms, '/v1/capture/forms');
  const [showSnippet, setShowSnippet] = useState(form.receivedCount === 0);
  return (
    <Card
      name={form.name}
      watched={form.id}
      status={<Received {...form} />}
      url={form.url}
      why={why}
      edit={(dialog) => <FormDialog source={form} {...dialog} />}
      onDelete={() => remove.mutateAsync(form)}
      deleting="Submissions to this form will be refused from then on. Its leads stay."
      actions={
        <Button
          variant="subtle"
          size="compact-xs"
          aria-expanded={showSnippet}
          onClick={() => setShowSnippet(!showSnippet)}
        >
          {showSnippet ? 'Hide the lines' : 'Lines for the website'}
        </Button>
      }
    >
      {form.thankYouUrl && <div className={classes.meta}>Thank-you page: {form.thankYouUrl}</div>}
      {showSnippet && (
        <div className={classes.snippet}>
          <CodeBlock text={form.snippet} label={`Lines of ${form.name}`} />
        </div>
      )}
    </Card>
  );
}

/** A request that brings a lead in, for trying the webhook from a terminal. */
const curlOf = (url: string) =>
  `curl -X POST ${url} \\\n  -H 'Content-Type: application/json' \\\n  -d '{"name":"Ada Lovelace","email":"ada@example.com"}'`;

export function WebhookCard({ webhook, why }: { webhook: InboundWebhook; why?: string }) {
  const remove = useDeleteSource(sourceKeys.webhooks, '/v1/identity/lead-webhooks');
  const [confirming, setConfirming] = useState(false);
  const [showExample, setShowExample] = useState(webhook.receivedCount === 0);
  const regenerate = useSourceWrite(sourceKeys.webhooks, (id: string) =>
    api.post<InboundWebhook>(`/v1/identity/lead-webhooks/${id}/regenerate-key`),
  );
  const mapping = Object.entries(webhook.fieldMapping);
  return (
    <Card
      name={webhook.name}
      watched={webhook.id}
      status={<Received {...webhook} />}
      url={webhook.url}
      why={why}
      edit={(dialog) => <WebhookDialog source={webhook} {...dialog} />}
      onDelete={() => remove.mutateAsync(webhook)}
      deleting="Requests to its address will be refused from then on. Its leads stay."
      menu={<Menu.Item onClick={() => setConfirming(true)}>Regenerate the key</Menu.Item>}
      actions={
        <span className={classes.actions}>
          <RouteLink to="/sources/webhooks/$webhookId" params={{ webhookId: webhook.id }} search={{}}>
            Requests
          </RouteLink>
          <Button
            variant="subtle"
            size="compact-xs"
            aria-expanded={showExample}
            onClick={() => setShowExample(!showExample)}
          >
            {showExample ? 'Hide the example' : 'Example request'}
          </Button>
        </span>
      }
    >
      {(webhook.format !== 'auto' || webhook.proof !== 'none') && (
        <div className={classes.meta}>
          {FORMATS.find(({ value }) => value === webhook.format)?.label}
          {webhook.proof !== 'none' && '; senders must prove themselves'}
        </div>
      )}
      {mapping.length > 0 && (
        <div className={classes.meta}>{mapping.map(([from, to]) => `${from} → ${to}`).join(', ')}</div>
      )}
      {showExample && (
        <div className={classes.snippet}>
          <CodeBlock text={curlOf(webhook.url)} label={`Example request for ${webhook.name}`} />
        </div>
      )}
      <Confirm
        opened={confirming}
        title={`Regenerate the key of ${webhook.name}`}
        verb="Regenerate"
        onClose={() => setConfirming(false)}
        onConfirm={async () => {
          await regenerate.mutateAsync(webhook.id);
          toast('The webhook has a new address; copy it');
        }}
      >
        The address changes. Whatever sends to the old one is refused at once.
      </Confirm>
    </Card>
  );
}

export function SiteCard({ site, why }: { site: Site; why?: string }) {
  const remove = useDeleteSource(sourceKeys.sites, '/v1/capture/sites');
  return (
    <Card
      name={site.name}
      status={<span className={classes.meta}>{site.allowedOrigins.join(', ') || 'Any origin'}</span>}
      why={why}
      edit={(dialog) => <SiteDialog source={site} {...dialog} />}
      onDelete={() => remove.mutateAsync(site)}
      deleting="The script on this site will no longer be accepted."
    >
      <div className={classes.snippet}>
        <CodeBlock text={site.snippet} label={`Script line of ${site.name}`} wrap />
      </div>
    </Card>
  );
}

interface EditProps {
  opened: boolean;
  onClose: () => void;
}

interface CardProps {
  name: string;
  /** The source that may be watched for silence. */
  watched?: string;
  status: ReactNode;
  url?: string;
  why?: string;
  menu?: ReactNode;
  actions?: ReactNode;
  /** The dialog that edits it; left out where it has a page of its own. */
  edit?: (props: EditProps) => ReactNode;
  deleting: string;
  onDelete: () => Promise<unknown>;
  children?: ReactNode;
}

export function Card({
  name,
  watched,
  status,
  url,
  why,
  menu,
  actions,
  edit,
  deleting,
  onDelete,
  children,
}: CardProps) {
  const [confirming, setConfirming] = useState(false);
  const [editing, setEditing] = useState(false);
  const [watching, setWatching] = useState(false);
  return (
    <article className={classes.card}>
      <div className={classes.head}>
        <span className={classes.name}>{name}</span>
        {status}
        {watched && <Silence sourceId={watched} />}
        <span className={classes.end}>{actions}</span>
        {!why && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`More for ${name}`}>
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {edit && <Menu.Item onClick={() => setEditing(true)}>Edit…</Menu.Item>}
              {watched && <Menu.Item onClick={() => setWatching(true)}>Watch for silence…</Menu.Item>}
              {menu}
              <Menu.Item onClick={() => setConfirming(true)}>Delete…</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
      {url && (
        <div className={classes.url}>
          <span title={url}>{url}</span>
          <CopyButton value={url} label="Copy the address" />
        </div>
      )}
      {children}
      {edit?.({ opened: editing, onClose: () => setEditing(false) })}
      {watched && <WatchDialog sourceId={watched} name={name} opened={watching} onClose={() => setWatching(false)} />}
      <Confirm
        opened={confirming}
        title={`Delete ${name}`}
        verb="Delete"
        onClose={() => setConfirming(false)}
        onConfirm={onDelete}
      >
        {deleting}
      </Confirm>
    </article>
  );
}
