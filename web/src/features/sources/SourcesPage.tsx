import { Button, Menu, Skeleton } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { usePermits } from '@/api/session';
import { Empty, Failure, PageBody, PageHead, PermitButton } from '@/ui/basics';
import { formsQuery, sitesQuery, webhooksQuery } from './queries';
import { FormCard, SiteCard, WebhookCard } from './SourceCards';
import { FormDialog, SiteDialog, WebhookDialog } from './SourceDialogs';
import classes from './Sources.module.css';

type Adding = 'form' | 'webhook' | 'site' | null;

/** Where leads come in. */
export function SourcesPage() {
  const forms = useQuery(formsQuery);
  const webhooks = useQuery(webhooksQuery);
  const sites = useQuery(sitesQuery);
  const why = usePermits().why('sources:manage');
  const [adding, setAdding] = useState<Adding>(null);
  const close = () => setAdding(null);
  const none = forms.data?.length === 0 && webhooks.data?.length === 0 && sites.data?.length === 0;

  return (
    <PageBody>
      <PageHead title="Sources">
        {why ? (
          <PermitButton why={why}>Add source</PermitButton>
        ) : (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button rightSection={<IconChevronDown size={14} />}>Add source</Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => setAdding('form')}>Form on a website</Menu.Item>
              <Menu.Item onClick={() => setAdding('webhook')}>Inbound webhook</Menu.Item>
              <Menu.Item onClick={() => setAdding('site')}>Site with the script</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </PageHead>
      {none ? (
        <Empty
          title="Let the first lead in"
          action={
            <PermitButton why={why} onClick={() => setAdding('form')}>
              Make a form
            </PermitButton>
          }
        >
          A source is a way for leads to arrive. Make a form, paste its lines into your website, and send it once: the
          lead appears on the board at once.
        </Empty>
      ) : (
        <>
          <Group title="Forms" list={forms}>
            {forms.data?.map((form) => (
              <FormCard key={form.id} form={form} why={why} />
            ))}
          </Group>
          <Group title="Inbound webhooks" list={webhooks}>
            {webhooks.data?.map((webhook) => (
              <WebhookCard key={webhook.id} webhook={webhook} why={why} />
            ))}
          </Group>
          <Group title="Sites" list={sites}>
            {sites.data?.map((site) => (
              <SiteCard key={site.id} site={site} why={why} />
            ))}
          </Group>
        </>
      )}
      <FormDialog opened={adding === 'form'} onClose={close} />
      <WebhookDialog opened={adding === 'webhook'} onClose={close} />
      <SiteDialog opened={adding === 'site'} onClose={close} />
    </PageBody>
  );
}

interface GroupProps {
  title: string;
  list: { isPending: boolean; isError: boolean; error: unknown; data?: unknown[]; refetch: () => unknown };
  children: ReactNode;
}

function Group({ title, list, children }: GroupProps) {
  return (
    <section className={classes.group} aria-label={title}>
      <h2>{title}</h2>
      {list.isPending && <Skeleton h={72} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data?.length === 0 && <p className={classes.none}>None yet.</p>}
      {children}
    </section>
  );
}
