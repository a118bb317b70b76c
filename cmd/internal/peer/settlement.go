package peer

import "intercom/planes/msb"

// chooseNetwork decides on which network the peer settles: its validators are
// entry points of the host.
func (p *Peer) chooseNetwork() (err error) {
	if p.cfg.Settlement.Off {
		return nil
	}
	p.choice, err = msb.Choose(p.cfg.SettlementStore(), p.cfg.Settlement.Genesis, p.cfg.Settlement.Validators)
	return err
}
