import { Button } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconArrowLeft } from '@tabler/icons-react';
import { getRouteApi, useCanGoBack, useNavigate, useRouter } from '@tanstack/react-router';
import { PageBody } from '@/ui/basics';
import classes from './Lead.module.css';
import { LeadStepper, LeadView } from './LeadView';
import { useNeighbours } from './sequence';

const route = getRouteApi('/shell/leads/$leadId');

export function LeadPage() {
  const { leadId } = route.useParams();
  const navigate = useNavigate();
  const router = useRouter();
  const canGoBack = useCanGoBack();
  const { previous, next } = useNeighbours(leadId);
  const go = (id: string) => void navigate({ to: '/leads/$leadId', params: { leadId: id }, replace: true });
  const leave = () => (canGoBack ? router.history.back() : void navigate({ to: '/board' }));
  useHotkeys([
    ['j', () => next && go(next)],
    ['k', () => previous && go(previous)],
  ]);
  return (
    <PageBody>
      <div className={classes.panelTop}>
        <Button ml={-8} variant="subtle" size="compact-sm" leftSection={<IconArrowLeft size={14} />} onClick={leave}>
          Back
        </Button>
        <LeadStepper id={leadId} onGo={go} />
        <span />
      </div>
      <LeadView key={leadId} id={leadId} layout="page" onDeleted={leave} />
    </PageBody>
  );
}
