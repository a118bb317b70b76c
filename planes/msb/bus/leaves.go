package bus

// NetworkLeaves are the keys of the leaves about the network as a whole: what
// [State] needs for all that it tells but accounts, deployments, transactions and
// the accounts of licenses.
func NetworkLeaves() [][]byte {
	names := []string{
		leafNetwork, leafDevelopment, leafAdmin, leafSupply, leafBurned, leafLicenses, leafHeight, leafValidators,
	}
	keys := make([][]byte, len(names))
	for i, name := range names {
		keys[i] = []byte(name)
	}
	return keys
}
