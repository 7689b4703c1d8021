import { Button, Menu, Skeleton } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { usePermits } from '@/api/session';
import { Empty, Failure, PageBody, PageHead, PermitButton } from '@/ui/basics';
import { ChatCard, ChatDialog } from './Chats';
import { chatsQuery, formsQuery, sitesQuery, webhooksQuery, widgetsQuery } from './queries';
import { FormCard, SiteCard, WebhookCard } from './SourceCards';
import { FormDialog, SiteDialog } from './SourceDialogs';
import classes from './Sources.module.css';
import { WebhookDialog } from './WebhookDialog';
import { WidgetCard } from './WidgetCard';

type Adding = 'form' | 'webhook' | 'chat' | 'site' | null;

/** Where leads come in. */
export function SourcesPage() {
  const forms = useQuery(formsQuery);
  const webhooks = useQuery(webhooksQuery);
  const sites = useQuery(sitesQuery);
  const widgets = useQuery(widgetsQuery);
  const chats = useQuery(chatsQuery);
  const why = usePermits().why('sources:manage');
  const [adding, setAdding] = useState<Adding>(null);
  const close = () => setAdding(null);
  const none = [forms, webhooks, sites, widgets, chats].every(({ data }) => data?.length === 0);

  return (
    <PageBody>
      <PageHead title="Sources">
        <Button component={Link} to="/captures" variant="default">
          Captures
        </Button>
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
              <Menu.Item component={Link} to="/widgets/new">
                WhatsApp widget
              </Menu.Item>
              <Menu.Item onClick={() => setAdding('chat')}>Chat</Menu.Item>
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
          <Group title="WhatsApp widgets" list={widgets}>
            {widgets.data?.map((widget) => (
              <WidgetCard key={widget.id} widget={widget} why={why} />
            ))}
          </Group>
          <Group title="Chats" list={chats}>
            {chats.data?.map((chat) => (
              <ChatCard key={chat.id} chat={chat} why={why} />
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
      <ChatDialog opened={adding === 'chat'} onClose={close} />
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
