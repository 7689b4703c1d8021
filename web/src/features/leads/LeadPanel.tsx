import { CloseButton, Drawer } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { RouteLink } from '@/ui/RouteLink';
import classes from './Lead.module.css';
import { LeadStepper, LeadView } from './LeadView';
import { useNeighbours } from './sequence';

interface LeadPanelProps {
  id: string | undefined;
  onClose: () => void;
  onGo: (id: string) => void;
}

/** The side panel over the board and the table. */
export default function LeadPanel({ id, onClose, onGo }: LeadPanelProps) {
  const { previous, next } = useNeighbours(id ?? '');
  useHotkeys([
    ['j', () => id && next && onGo(next)],
    ['k', () => id && previous && onGo(previous)],
  ]);
  return (
    <Drawer.Root opened={id !== undefined} onClose={onClose} position="right" size="32rem">
      <Drawer.Overlay backgroundOpacity={0.25} />
      <Drawer.Content aria-label="Lead">
        <Drawer.Body pt="sm">
          {id && (
            <>
              <div className={classes.panelTop}>
                <LeadStepper id={id} onGo={onGo} />
                <span>
                  <RouteLink to="/leads/$leadId" params={{ leadId: id }}>
                    Full details
                  </RouteLink>
                  <CloseButton
                    component="button"
                    aria-label="Close the panel"
                    onClick={onClose}
                    ml="sm"
                    display="inline-flex"
                  />
                </span>
              </div>
              <LeadView key={id} id={id} layout="panel" onDeleted={onClose} />
            </>
          )}
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}
